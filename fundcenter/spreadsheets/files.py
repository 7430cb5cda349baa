"""What an uploaded file is, by its content and never its name, and the refusals that need no look at a cell."""

import re
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Literal
from zipfile import ZipFile

from fundcenter.spreadsheets.compound import MALFORMED, CompoundFile, is_encrypted, macro_sheets

MB = 1024 * 1024

Kind = Literal["xlsx", "xls", "csv"]


@dataclass(frozen=True)
class Limits:
    bytes: int = 60 * MB
    rows: int = 400_000
    columns: int = 60
    unpacked: int = 1000 * MB  # all entries of an .xlsx together, as declared; zipfile reads no more than that
    ratio: int = 200  # of one entry that unpacks to more than `ratio_from`; a real sheet has 5 to 30
    ratio_from: int = 50 * MB
    memory: int = 2048 * MB  # address space of the parser's process; 350,000 rows of 12 columns take 600 MB
    seconds: int = 60  # and its CPU time; they take 3


LIMITS = Limits()


class FileRefused(Exception):
    """The whole file can't be taken. `code` as in collection.md A5, `message` for the clerk, `details` its figures."""

    def __init__(self, code: str, message: str, **details: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details


def not_a_table(name: str) -> FileRefused:
    return FileRefused(
        "file_type", f"“{name}”不是完好的 .xlsx、.xls 或 .csv 表格，请用 Excel 或 WPS 另存为 .xlsx 后重新上传"
    )


def sniff(content: bytes, name: str, limits: Limits = LIMITS) -> Kind:
    """What `content` is. FileRefused: file_empty, file_too_large, file_type, file_encrypted, file_macro,
    ratio_zip_bomb. `name` only appears in messages."""
    if not content:
        raise FileRefused("file_empty", f"“{name}”是空文件")
    if len(content) > limits.bytes:
        size, most = len(content) / MB, limits.bytes / MB
        raise FileRefused(
            "file_too_large", f"文件 {size:.1f} MB，上限 {most:.0f} MB", size=len(content), most=limits.bytes
        )
    if content.startswith(b"PK\x03\x04"):
        _check_package(content, name, limits)
        return "xlsx"
    if content.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        _check_compound(content, name)
        return "xls"
    if _UNTABLED.search(decoded(content, name)):
        raise not_a_table(name)
    return "csv"


# Control characters, or markup at the start: many systems export a web page and call it .xls.
_UNTABLED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]|\A\s*<")


def decoded(content: bytes, name: str) -> str:
    """The text of a .csv: UTF-8 with or without BOM, else GB18030 (GBK within it), strictly. FileRefused file_type."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise not_a_table(name)


def entry_key(path: str) -> str:
    """The form in which paths inside a package are compared: some writers differ in case or slash."""
    return path.replace("\\", "/").lower()


def _check_package(content: bytes, name: str, limits: Limits) -> None:
    try:
        entries = ZipFile(BytesIO(content)).infolist()
    except Exception as error:  # zipfile raises half a dozen kinds over a foreign file
        raise not_a_table(name) from error
    names = {entry_key(entry.filename) for entry in entries}
    if "xl/workbook.xml" not in names:
        raise not_a_table(name)
    if any(entry.flag_bits & 1 for entry in entries):
        raise _encrypted()
    if any(path.endswith("/vbaproject.bin") or path.startswith("xl/macrosheets/") for path in names):
        raise _macro()
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > limits.unpacked or any(
        entry.file_size > limits.ratio_from and entry.file_size > limits.ratio * entry.compress_size
        for entry in entries
    ):
        raise FileRefused(
            "ratio_zip_bomb",
            f"文件解压后有 {unpacked / MB:.0f} MB，与内容不相称，不予打开",
            unpacked=unpacked,
            packed=len(content),
        )


def _check_compound(content: bytes, name: str) -> None:
    try:
        file = CompoundFile(content)
        if "EncryptedPackage" in file.names:
            raise _encrypted()
        if "_VBA_PROJECT_CUR" in file.names:
            raise _macro()
        book = file.workbook()
        if is_encrypted(book):
            raise _encrypted()
        if macro_sheets(book):
            raise _macro()
    except MALFORMED as error:
        raise not_a_table(name) from error


def _encrypted() -> FileRefused:
    return FileRefused("file_encrypted", "文件设有打开密码，请取消密码后重新上传")


def _macro() -> FileRefused:
    return FileRefused("file_macro", "文件带有宏，请另存为“Excel 工作簿 (*.xlsx)”后重新上传")
