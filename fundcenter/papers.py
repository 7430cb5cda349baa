"""Papers: a Django template → an A4 PDF, by WeasyPrint. No request ever leaves the machine, no character becomes a box."""

import gc
import os
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.request import url2pathname

from django.conf import settings
from django.template.loader import render_to_string
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.pens.transformPen import TransformPen
from fontTools.ttLib import TTCollection, TTFont
from pikepdf import Pdf
from weasyprint import CSS, HTML
from weasyprint.document import Document, Page
from weasyprint.text.ffi import fontconfig
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

STATIC = Path(__file__).resolve().parent.parent / "static" / "papers"
SERIF, SANS = "Noto Serif CJK SC", "Noto Sans CJK SC"
# Of surnames and places here; each other Chinese font of Debian lacks one or more of them.
RARE = "上饶市㼆䶮𬭚喆堃赟镕璟翀犇祎頔玥燊"


# What is laid out at once, and what is written at once: so much is in memory, however long the paper is.
LINES_AT_ONCE = 300
PAGES_AT_ONCE = 24
UNCOUNTED = "@page { @bottom-right { content: none !important } }"

Told = Callable[[int, int], None]
"""``told(lines, pages)``: how many are laid out."""


class FontMissing(Exception):
    """The paper can't be printed right; the message says what is missing, where it was sought and how to mend it."""


@dataclass(frozen=True)
class Sheet:
    """One paper, with pages counted for itself.

    ``lines``, where there may be many, reach the template piece by piece: it is given ``lines`` (a list), ``ends`` (whether
    this is the last piece) and ``long`` (whether there are several), and names the rows that it makes of them line-0, line-1 …
    """

    template: str
    context: Mapping[str, Any]
    lines: Iterable[Any] | None = None

    def stamped(self, stamp: Mapping[str, Any]) -> "Sheet":
        """The same, with what every sheet carries."""
        return replace(self, context={**self.context, **stamp})


def render(template: str, context: Mapping[str, Any]) -> bytes:
    """The PDF of `template`; the same context gives the same bytes. FontMissing rather than boxes in place of characters."""
    return book([Sheet(template, context)])


def book(sheets: Iterable[Sheet], told: Told = lambda lines, pages: None) -> bytes:
    """One PDF of these papers, in bounded memory. FontMissing as for `render`."""
    check_font()
    press = _Press(told)
    try:
        for sheet in sheets:
            press.lay(sheet)
        return press.bound()
    except FatalURLFetchingError as fault:  # a BaseException, which would take the whole worker down
        raise ValueError(str(fault)) from fault


class _Press:
    """Lays sheets out, and writes their pages in parts that are joined at the end."""

    def __init__(self, told: Told) -> None:
        self.told = told
        self.fonts = _fonts()  # one a book: Pango's font maps are not for several threads
        self.own = _OwnFiles()
        self.sheets = [
            CSS(string=text, font_config=self.fonts, url_fetcher=self.own) for text in (_figures(), UNCOUNTED)
        ]
        self.laid: list[Page] = []
        self.last: Document
        self.parts: list[bytes] = []
        self.lines = self.pages = 0
        self.uncounted: list[tuple[Sheet, int, int]] = []
        """Sheets laid out in pieces, whose pages are counted when all of them are there: from which page, how many."""

    def lay(self, sheet: Sheet) -> None:
        if sheet.lines is None:
            self._keep(self._document(sheet, {}).pages)
            return
        source, first, piece = iter(sheet.lines), self.pages, list[Any]()
        coming = list(islice(source, LINES_AT_ONCE))
        while True:
            piece, coming = piece + coming, list(islice(source, LINES_AT_ONCE))
            long = bool(coming) or self.pages > first
            context = {"lines": piece, "ends": not coming, "long": long}
            pages = self._document(sheet, context, counted=not long).pages
            if not coming:
                self.lines += len(piece)
                self._keep(pages)
                break
            # The page that isn't full is laid out again with the lines that follow.
            begins = min(int(name.partition("-")[2]) for name in pages[-1].anchors)
            self.lines += begins
            self._keep(pages[:-1])
            piece = piece[begins:]
        if long:
            self.uncounted.append((sheet, first, self.pages - first))

    def bound(self) -> bytes:
        self._write()
        if len(self.parts) == 1 and not self.uncounted:
            return self.parts[0]
        with ExitStack() as opened:
            whole, *more = (opened.enter_context(Pdf.open(BytesIO(part))) for part in self.parts)
            for part in more:
                whole.pages.extend(part.pages)
            for sheet, first, count in self.uncounted:
                counted = {"like": Path(sheet.template).stem, "pages": range(count)}
                numbers = opened.enter_context(Pdf.open(BytesIO(render("papers/numbers.html", counted))))
                for at, page in enumerate(numbers.pages, start=first):
                    whole.pages[at].add_overlay(page, None)
            whole.save(bound := BytesIO(), deterministic_id=True)
        return bound.getvalue()

    def _document(self, sheet: Sheet, context: Mapping[str, Any], *, counted: bool = True) -> Document:
        html = HTML(
            string=render_to_string(sheet.template, {"centre": settings.CENTRE_NAME, **sheet.context, **context}),
            base_url=f"{STATIC.as_uri()}/",
            url_fetcher=self.own,
        )
        self.last = html.render(font_config=self.fonts, stylesheets=self.sheets[: 1 if counted else 2])
        return self.last

    def _keep(self, pages: list[Page]) -> None:
        for page in pages:
            page.anchors.clear()  # or each line would be a destination in the file
        self.laid += pages
        self.pages += len(pages)
        self.told(self.lines, self.pages)
        if len(self.laid) >= PAGES_AT_ONCE:
            self._write()

    def _write(self) -> None:
        if self.laid:
            self.parts.append(self.last.copy(self.laid).write_pdf(finisher=_refuse_boxes))
            self.laid = []
            gc.collect()  # their boxes point at each other, and the worker's collector comes seldom


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
