"""Just enough of an .xls to know what it is: the compound file around it [MS-CFB], the records within [MS-XLS].

Over a file that is not well formed everything raises one of MALFORMED; no chain is followed twice round.
"""

import struct
from collections.abc import Iterator
from struct import unpack_from
from typing import NamedTuple

MALFORMED = (ValueError, LookupError, struct.error)

_END_OF_CHAIN = 0xFFFFFFFE
_LAST_SECTOR = 0xFFFFFFFA

# Record types [MS-XLS 2.3.2]
_FORMULA, _EOF, _FILEPASS, _BOUNDSHEET, _BOF = 0x0006, 0x000A, 0x002F, 0x0085, 0x0809
_NUMBER, _LABEL, _BOOL, _RK, _LABEL_SST, _MUL_RK, _RICH = 0x0203, 0x0204, 0x0205, 0x027E, 0x00FD, 0x00BD, 0x00D6
_VALUES = frozenset({_FORMULA, _NUMBER, _LABEL, _BOOL, _RK, _LABEL_SST, _MUL_RK, _RICH})


class _Entry(NamedTuple):
    start: int
    size: int


class CompoundFile:
    """`names` of what the file holds, at whatever depth."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        (self._shift,) = unpack_from("<H", content, 30)
        if self._shift not in (9, 12):
            raise ValueError(f"sector shift {self._shift}")
        directory, self._cutoff, mini_table, _, more = unpack_from("<I4x4I", content, 48)
        self._table = self._allocation_table(more)
        self._entries = dict(self._directory(self._chain(directory)))
        self.names = frozenset(self._entries)
        root = next(iter(self._entries.values()), _Entry(_END_OF_CHAIN, 0))  # its stream holds the small streams
        self._mini = self._chain(root.start)[: root.size]
        self._mini_table = _numbers(self._chain(mini_table))

    def _allocation_table(self, more: int) -> list[int]:
        """The next sector of each. Its own sectors stand in the header and, of a large file, from `more` on."""
        own = list(unpack_from("<109I", self._content, 76))
        sectors_in_all = len(self._content) >> self._shift
        for _ in range(sectors_in_all):
            if more >= _LAST_SECTOR:
                break
            *further, more = _numbers(self._sector(more))
            own += further
        own = [n for n in own if n < _LAST_SECTOR]
        if len(own) > 2 + sectors_in_all // 64:  # each describes 128 sectors or more, so this is twice the need
            raise ValueError("an allocation table beyond need")
        return [n for sector in own for n in _numbers(self._sector(sector))]

    @staticmethod
    def _directory(entries: bytes) -> Iterator[tuple[str, _Entry]]:
        for at in range(0, len(entries) - 127, 128):
            length, kind, start, size = unpack_from("<HB49xII", entries, at + 64)
            if kind:
                name = entries[at : at + min(length, 64)].decode("utf-16-le", "replace")
                yield name.rstrip("\0"), _Entry(start, size)

    def workbook(self) -> bytes:
        """The stream of records. LookupError if this is another kind of document."""
        name = next((name for name in ("Workbook", "Book", "WORKBOOK", "BOOK") if name in self._entries), "")
        start, size = self._entries[name]
        if size >= self._cutoff:
            return self._chain(start)[:size]
        return b"".join(self._mini[n * 64 : n * 64 + 64] for n in _links(start, self._mini_table))[:size]

    def _chain(self, start: int) -> bytes:
        return b"".join(self._sector(n) for n in _links(start, self._table))

    def _sector(self, n: int) -> bytes:
        return self._content[(n + 1) << self._shift : (n + 2) << self._shift]


def _numbers(data: bytes) -> list[int]:
    return list(unpack_from(f"<{len(data) // 4}I", data))


def _links(start: int, table: list[int]) -> Iterator[int]:
    for _ in range(len(table)):
        if start == _END_OF_CHAIN:
            return
        yield start
        start = table[start]
    if start != _END_OF_CHAIN:
        raise ValueError("a chain without end")


def is_encrypted(book: bytes) -> bool:
    return any(kind == _FILEPASS for kind, _ in _records(book, 0))


def macro_sheets(book: bytes) -> bool:
    """Whether it has sheets of Excel 4 macros, the older kind that needs no VBA project."""
    return any(kind == _BOUNDSHEET and book[at + 5] == 1 for kind, at in _records(book, 0))


def first_sheet(book: bytes) -> tuple[int, frozenset[tuple[int, int]]] | None:
    """Index of the first visible sheet with a value, and its formula cells as (row as seen in Excel, column from 0)."""
    sheets = [unpack_from("<IB", book, at) for kind, at in _records(book, 0) if kind == _BOUNDSHEET]
    for index, (place, hidden) in enumerate(sheets):
        values = [(kind, at) for kind, at in _records(book, place) if kind in _VALUES]
        if values and not hidden & 3:
            cells = (unpack_from("<HH", book, at) for kind, at in values if kind == _FORMULA)
            return index, frozenset((row + 1, column) for row, column in cells)
    return None


def _records(book: bytes, at: int) -> Iterator[tuple[int, int]]:
    """Type and place of the records of one substream, without those of charts embedded in it."""
    depth = 0
    while at + 4 <= len(book):
        kind, size = unpack_from("<HH", book, at)
        if kind == _BOF:
            depth += 1
        elif kind == _EOF:
            depth -= 1
            if depth <= 0:
                return
        elif depth == 1:
            yield kind, at + 4
        at += 4 + size
