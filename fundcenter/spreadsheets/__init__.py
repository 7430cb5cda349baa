"""Business workbooks, in and out. No business knowledge: a room declares its columns and judges the values.

    table = spreadsheets.read(content, name, REGISTER_COLUMNS)    # FileRefused, or rows with Excel's own row numbers
    amount = spreadsheets.as_number(value)                        # a Decimal, or a CellProblem to put beside the row

An upload is hostile until shown otherwise: `files` looks at the container, `child` parses in a process with limits of
memory and time (a 5 KB workbook with two far cells makes calamine ask for 500 GB and abort the process it runs in).
"""

from fundcenter.spreadsheets.cells import (
    CellProblem,
    as_account,
    as_date,
    as_month,
    as_number,
    as_ratio,
    as_text,
)
from fundcenter.spreadsheets.files import LIMITS, FileRefused, Limits, sniff
from fundcenter.spreadsheets.sheets import Cell
from fundcenter.spreadsheets.tables import Column, Found, HeaderProblem, Table, read
from fundcenter.spreadsheets.writing import annotate, write_table

__all__ = [
    "LIMITS",
    "Cell",
    "CellProblem",
    "Column",
    "FileRefused",
    "Found",
    "HeaderProblem",
    "Limits",
    "Table",
    "annotate",
    "as_account",
    "as_date",
    "as_month",
    "as_number",
    "as_ratio",
    "as_text",
    "read",
    "sniff",
    "write_table",
]
