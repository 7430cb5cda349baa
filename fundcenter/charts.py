"""Charts: plain SVG, the same on screen and in a PDF. Presentation attributes only: the CSP refuses style and script.

Colour is never the only sign: the highlighted bar is darker in black and white too, a negative one hangs below zero.
"""

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from unicodedata import east_asian_width
from xml.sax.saxutils import escape

FONT_SIZE = 11
# (fill, outline); the outlines have a contrast of 3:1 and more on white, as WCAG AA asks of graphics.
PLAIN, HIGHLIGHT = ("#a3badd", "#5f82b8"), ("#1f4f8f", "#1f4f8f")
PLAIN_NEGATIVE, HIGHLIGHT_NEGATIVE = ("#f0cfcc", "#b3150f"), ("#b3150f", "#b3150f")
TOP, BOTTOM, GAP, BAR_MAX = 22, 20, 8, 48


def bars(
    points: Sequence[tuple[str, Decimal]],
    *,
    width: int,
    height: int,
    unit: str,
    title: str = "",
    highlight_last: bool = True,
) -> str:
    """Bars of `points` (label, amount in `unit`), the last one highlighted as the current one.

    The amount of a bar is its tooltip, written with the decimals it has. The text wants `|safe` in a template: labels,
    unit and title are escaped here.
    """
    name = f"{title or '柱状图'}（{unit}）" if unit else title or "柱状图"
    if not points:
        return _svg(width, height, f"{name}：暂无数据", [_text(width // 2, height // 2, "暂无数据", "middle")])

    ticks = _ticks([amount for _, amount in points])
    left = max(_length(_grouped(tick)) for tick in ticks) + GAP
    overhang = (_length(points[-1][0]) - (width - left) / len(points)) / 2  # of the last label beyond its bar
    plot, floor = width - left - max(overhang, Decimal(GAP // 2)), height - BOTTOM
    per_unit = Decimal(floor - TOP) / (ticks[-1] - ticks[0])

    def y(amount: Decimal) -> Decimal:
        return floor - (amount - ticks[0]) * per_unit

    shapes = [_text(0, FONT_SIZE, unit, "start")]
    for tick in ticks:
        line = f'x1="{_px(left)}" x2="{width}" y1="{_px(y(tick))}" y2="{_px(y(tick))}" stroke-width="0.7"'
        shapes.append(f'<line {line} stroke="currentColor" stroke-opacity="{"0.2" if tick else "0.8"}"/>')
        shapes.append(_text(left - GAP // 2, y(tick) + 4, _grouped(tick), "end"))

    slot = plot / len(points)
    bar = min(slot * Decimal("0.76"), Decimal(BAR_MAX))
    for index, (label, amount) in enumerate(points):
        if highlight_last and index == len(points) - 1:
            fill, outline = HIGHLIGHT_NEGATIVE if amount < 0 else HIGHLIGHT
        else:
            fill, outline = PLAIN_NEGATIVE if amount < 0 else PLAIN
        x, upper, lower = left + slot * index + (slot - bar) / 2, y(max(amount, Decimal(0))), y(min(amount, Decimal(0)))
        box = f'x="{_px(x)}" y="{_px(upper)}" width="{_px(bar)}" height="{_px(lower - upper)}" rx="1.5"'
        hint = escape(f"{label}：{_grouped(amount)} {unit}".rstrip())
        shapes.append(f'<rect {box} fill="{fill}" stroke="{outline}" stroke-width="0.8"><title>{hint}</title></rect>')

    # Labels that would touch are thinned out, counting from the last, which is the current one.
    longest = max(_length(label) for label, _ in points)
    every = next((n for n in range(1, len(points)) if slot * n >= longest + 4), len(points))
    for index in range(len(points) - 1, -1, -every):
        label = _shortened(points[index][0], min(slot * every, plot))
        middle = max(left + slot * index + slot / 2, _length(label) / 2)
        shapes.append(_text(middle, height - 5, label, "middle"))

    ends = dict.fromkeys(f"{label}：{_grouped(amount)}" for label, amount in (points[0], points[-1]))
    return _svg(width, height, f"{name}，{' 至 '.join(ends)}", shapes)


def _ticks(amounts: Sequence[Decimal]) -> list[Decimal]:
    """Round numbers, zero among them, from below the least to above the greatest: 1, 2 or 5 times a power of ten apart."""
    low, high = min(Decimal(0), *amounts), max(Decimal(0), *amounts)
    rough = (high - low) / 4 or Decimal(1)
    power = Decimal(1).scaleb(rough.adjusted())
    step = next(power * times for times in (1, 2, 5, 10) if power * times >= rough)
    first, last = (low / step).to_integral_value(ROUND_FLOOR), (high / step).to_integral_value(ROUND_CEILING)
    return [step * count for count in range(int(first), int(last) + 1 + (first == last))]


def _grouped(amount: Decimal) -> str:
    return f"{amount:,f}"


def _px(value: Decimal | int) -> str:
    return f"{value:.1f}"


def _length(text: str) -> Decimal:
    """About how many pixels wide; the browser's font is unknown here."""
    wide = sum(east_asian_width(char) in "WFA" for char in text)
    return FONT_SIZE * (wide + (len(text) - wide) * Decimal("0.58"))


def _shortened(text: str, room: Decimal) -> str:
    while len(text) > 1 and _length(text) > room:
        text = text.rstrip("…")[:-1] + "…"
    return text


def _text(x: Decimal | int, y: Decimal | int, text: str, anchor: str) -> str:
    return f'<text x="{_px(x)}" y="{_px(y)}" text-anchor="{anchor}" fill="currentColor">{escape(text)}</text>'


def _svg(width: int, height: int, title: str, shapes: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        f' font-family="Noto Sans CJK SC, Microsoft YaHei, PingFang SC, sans-serif" font-size="{FONT_SIZE}">'
        f"<title>{escape(title)}</title>{''.join(shapes)}</svg>"
    )
