"""Papers: a Django template → an A4 PDF, by WeasyPrint. No request ever leaves the machine, no character becomes a box."""

import os
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.request import url2pathname

from django.conf import settings
from django.template.loader import render_to_string
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.pens.transformPen import TransformPen
from fontTools.ttLib import TTCollection, TTFont
from weasyprint import CSS, HTML
from weasyprint.document import Document
from weasyprint.text.ffi import fontconfig
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

STATIC = Path(__file__).resolve().parent.parent / "static" / "papers"
SERIF, SANS = "Noto Serif CJK SC", "Noto Sans CJK SC"
# Of surnames and places here; each other Chinese font of Debian lacks one or more of them.
RARE = "上饶市㼆䶮𬭚喆堃赟镕璟翀犇祎頔玥燊"


class FontMissing(Exception):
    """The paper can't be printed right; the message says what is missing, where it was sought and how to mend it."""


def render(template: str, context: Mapping[str, Any]) -> bytes:
    """The PDF of `template`; the same context gives the same bytes.

    FontMissing rather than boxes in place of characters. About 4 ms and 75 kB a line of a voucher: 5,000 lines take
    20 s and 680 MB, so what may be longer is for a job.
    """
    check_font()
    fonts = _fonts()  # one a paper: Pango's font maps are not for several threads
    own = _OwnFiles()
    html = HTML(
        string=render_to_string(template, {"centre": settings.CENTRE_NAME, **context}),
        base_url=f"{STATIC.as_uri()}/",
        url_fetcher=own,
    )
    figures = CSS(string=_figures(), font_config=fonts, url_fetcher=own)
    try:
        pdf: bytes = html.write_pdf(font_config=fonts, stylesheets=[figures], finisher=_refuse_boxes)
    except FatalURLFetchingError as fault:  # a BaseException, which would take the whole worker down
        raise ValueError(str(fault)) from fault
    return pdf


@cache
def check_font() -> None:
    """FontMissing unless both families are installed and have every character of RARE.

    By file, not by fc-list, which a small server lacks. Found once is found for the life of the process.
    """
    for family, style in ((SERIF, "Regular"), (SERIF, "Bold"), (SANS, "Regular")):
        with _font(family, style) as font:
            lacking = [char for char in RARE if style == "Regular" and ord(char) not in font.getBestCmap()]
        if lacking:
            raise FontMissing(
                f"字体 {family} 版本过旧，缺少 {'、'.join(lacking)}。请执行 apt-get install --reinstall fonts-noto-cjk。"
            )


@contextmanager
def _font(family: str, style: str) -> Iterator[TTFont]:
    """The font of that name. Debian's files are collections, with a font for each country."""
    own = os.environ.get("FUNDCENTER_FONTS")
    folders = [Path("/usr/share/fonts"), Path.home() / ".local/share/fonts", *([Path(own)] if own else [])]
    for path in (path for folder in folders for path in sorted(folder.rglob(f"Noto*CJK*-{style}.[ot]t[cf]"))):
        with (TTCollection if path.suffix == ".ttc" else TTFont)(path, lazy=True) as file:
            for font in getattr(file, "fonts", [file]):
                if font["name"].getBestFamilyName() == family:
                    yield font
                    return
    raise FontMissing(
        f"缺少字体 {family} {style}，打印的汉字会变成方框，因此不打印。已查找：{'、'.join(map(str, folders))}。"
        "请执行 apt-get install fonts-noto-cjk；没有管理员权限时，把字体文件放进一个文件夹，"
        "并把环境变量 FUNDCENTER_FONTS 设为该文件夹。"
    )


def _fonts() -> FontConfiguration:
    """The system's fonts and those of FUNDCENTER_FONTS, of which fontconfig knows nothing."""
    fonts = FontConfiguration()
    if own := os.environ.get("FUNDCENTER_FONTS"):
        for path in sorted(Path(own).rglob("*.[ot]t[cf]")):
            fontconfig.FcConfigAppFontAddFile(fonts._config, os.fsencode(path))
    return fonts


@cache
def _figures() -> str:
    """Noto Serif's figures are not tabular: its 1 is narrow, and the half-width set it offers instead has typewriter-wide
    commas. So its ASCII is set anew, all figures of one width, under the name that papers.css puts first."""
    faces = []
    for style, weight in (("Regular", 400), ("Bold", 700)):
        with _font(SERIF, style) as source:
            url = f"data:font/otf;base64,{b64encode(_tabular(source)).decode()}"
        faces.append(f'@font-face {{ font-family: "{SERIF} Figures"; font-weight: {weight}; src: url({url}) }}')
    return "\n".join(faces)


def _tabular(source: TTFont) -> bytes:
    glyphs, names = source.getGlyphSet(), source.getBestCmap()
    chosen = {char: names[char] for char in range(0x20, 0x7F)}
    figure = glyphs[chosen[ord("0")]].width
    metrics, drawn = {".notdef": (figure, 0)}, {".notdef": T2CharStringPen(figure, None).getCharString()}
    for char, name in chosen.items():
        width = figure if chr(char).isdigit() else glyphs[name].width
        pen = T2CharStringPen(width, None)
        glyphs[name].draw(TransformPen(pen, (1, 0, 0, 1, (width - glyphs[name].width) // 2, 0)))
        metrics[name], drawn[name] = (width, 0), pen.getCharString()
    font = FontBuilder(source["head"].unitsPerEm, isTTF=False)
    font.updateHead(created=0, modified=0)  # or no two processes print the same bytes
    font.setupGlyphOrder(list(drawn))
    font.setupCharacterMap(chosen)
    font.setupCFF("Figures", {}, drawn, {})
    font.setupHorizontalMetrics(metrics)
    font.setupHorizontalHeader(ascent=source["hhea"].ascent, descent=source["hhea"].descent)
    font.setupNameTable({"familyName": "Figures", "styleName": "Regular"})
    font.setupOS2()
    font.setupPost()
    font.font["BASE"] = source["BASE"]  # or Pango sets figures beside characters .6 pt off their line
    font.save(file := BytesIO())
    return file.getvalue()


class _OwnFiles(URLFetcher):
    """Nothing but data: and the files beside the stylesheet. Anything else is a fault of the template, so it stops."""

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:
        file = Path(url2pathname(url.split("?")[0].removeprefix("file://"))).resolve()
        ours = url.startswith("file:///") and file.is_relative_to(STATIC) and file.is_file()
        if not (ours or url.startswith("data:")):
            raise FatalURLFetchingError(f"not a file of static/papers: {url}")
        return super().fetch(url, headers)


def _refuse_boxes(document: Document, _pdf: object) -> None:
    """WeasyPrint only logs a character that no font has, and prints a box."""
    missing = sorted({char for font in document.fonts.values() for char in font.missing})
    if missing:
        characters = "、".join(f"“{chr(char)}”（U+{char:04X}）" for char in missing)
        raise FontMissing(
            f"字库里没有 {characters}，打印出来会是方框，因此不打印。"
            "请核对该字是否为旧系统的造字；确为生僻字的，把含有该字的字体放进 ~/.local/share/fonts 后重新打印。"
        )
