"""An .xls (Excel 97–2003, BIFF8 in a compound file) of one sheet, so that the demo has one to show without a library for it.

Texts and numbers, at most 60 KB. Source: [MS-XLS] 2.4, [MS-CFB] 2.
"""

import struct
from collections.abc import Sequence
from decimal import Decimal

_SECTOR = 512
_FREE, _END, _OWN = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
_LEAST = 4096  # a shorter stream would have to stand in the small ones' own table
_CELL_FORMAT = 15  # after the fifteen of styles that every workbook has


def workbook(rows: Sequence[Sequence[str | int | Decimal | None]], *, sheet: str) -> bytes:
    """ValueError: more than one sector of the allocation table holds."""
    return _compound(_stream(rows, sheet))


def _record(kind: int, data: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def _text(text: str, length: str) -> bytes:
    return struct.pack(f"<{length}B", len(text), 1) + text.encode("utf-16-le")


def _cell(row: int, column: int, value: str | int | Decimal) -> bytes:
    place = struct.pack("<HHH", row, column, _CELL_FORMAT)
    if isinstance(value, str):
        return _record(0x0204, place + _text(value, "H"))
    return _record(0x0203, place + struct.pack("<d", value))


def _stream(rows: Sequence[Sequence[str | int | Decimal | None]], sheet: str) -> bytes:
    font = _record(0x0031, struct.pack("<HHHHHBBBB", 200, 0, 0x7FFF, 400, 0, 0, 0, 134, 0) + _text("宋体", "B"))
    style = _record(0x00E0, struct.pack("<HHHBBBBIIH", 0, 0, 0xFFF5, 0x20, 0, 0, 0, 0, 0, 0x20C0))
    cell = _record(0x00E0, struct.pack("<HHHBBBBIIH", 0, 0, 0x0001, 0x20, 0, 0, 0, 0, 0, 0x20C0))
    begin = struct.pack("<HHII", 0x0DBB, 0x07CC, 0, 6)
    head = _record(0x0809, struct.pack("<HH", 0x0600, 5) + begin) + _record(0x0042, struct.pack("<H", 1200))
    head += font * 4 + style * _CELL_FORMAT + cell
    end = _record(0x000A)
    width = max(map(len, rows))
    starts = len(head) + len(_record(0x0085, struct.pack("<IH", 0, 0) + _text(sheet, "B"))) + len(end)
    listed = _record(0x0085, struct.pack("<IH", starts, 0) + _text(sheet, "B"))
    body = _record(0x0809, struct.pack("<HH", 0x0600, 16) + begin)
    body += _record(0x0200, struct.pack("<IIHHH", 0, len(rows), 0, width, 0))
    for at, row in enumerate(rows):
        body += b"".join(_cell(at, column, value) for column, value in enumerate(row) if value is not None)
    return head + listed + end + body + end


def _compound(stream: bytes) -> bytes:
    """Header, one sector of the allocation table, one of the directory, then the stream."""
    sectors = -(-max(len(stream), _LEAST) // _SECTOR)
    table = [_OWN, _END, *range(3, 2 + sectors), _END]
    if len(table) > _SECTOR // 4:
        raise ValueError(f"{len(stream)} bytes are too many for a workbook of this kind")
    directory = b"".join(
        name.encode("utf-16-le").ljust(64, b"\0")
        + struct.pack("<HBBIII36xIII", len(name) * 2 + 2, kind, 1, _FREE, _FREE, child, first, size, 0)
        for name, kind, child, first, size in (
            ("Root Entry", 5, 1, _END, 0),
            ("Workbook", 2, _FREE, 2, sectors * _SECTOR),
        )
    )
    header = struct.pack(
        "<8s16xHHHHH10xIIIIIIIII", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x3E, 3, 0xFFFE, 9, 6,
        1, 1, 0, _LEAST, _END, 0, _END, 0, 0,
    )  # fmt: skip
    return (
        header
        + struct.pack("<108I", *[_FREE] * 108)
        + struct.pack(f"<{_SECTOR // 4}I", *table, *[_FREE] * (_SECTOR // 4 - len(table)))
        + directory.ljust(_SECTOR, b"\0")
        + stream.ljust(sectors * _SECTOR, b"\0")
    )
