"""A row that is typed instead of uploaded: its fields are the columns of the intake, and the intake judges them."""

from __future__ import annotations

from collections.abc import Iterable

from django import forms

from fundcenter.office.refusals import Problem
from fundcenter.office.services.intake import Intake, Reader
from fundcenter.spreadsheets import Column

# What to type, by kind of column.
EXAMPLES = {"month": "2026-03", "date": "1990-05-18", "ratio": "12%", "money": "5321.00"}


def row_form(intake: Intake) -> type[forms.Form]:
    """A form of this intake's columns. No field refuses anything itself: what is wrong, the intake says once, for all ways."""
    fields = {column.field: _field(column, intake.reader(column)) for column in intake.columns}
    return type("RowForm", (forms.Form,), dict(fields))


def _field(column: Column, reader: Reader) -> forms.Field:
    needed = "" if column.required else "可不填"
    if reader.choices:
        words = [("", "请选择"), *((word, word) for word in reader.choices)]
        return forms.ChoiceField(label=column.title, required=False, help_text=needed, choices=words)
    attrs = {"autocomplete": "off", "placeholder": EXAMPLES.get(column.kind, ""), "data-check": reader.check}
    widget = forms.TextInput(attrs={name: value for name, value in attrs.items() if value})
    return forms.CharField(label=column.title, required=False, help_text=needed, widget=widget)


def beside_fields(form: forms.Form, intake: Intake, problems: Iterable[Problem]) -> list[Problem]:
    """Put each problem beside the field of its column; returns those of no field."""
    fields = {column.title: column.field for column in intake.columns}
    elsewhere = []
    for problem in problems:
        if problem.column in fields:
            note = "" if problem.severity == "error" else "提示："
            form.add_error(fields[problem.column], note + problem.message)
        else:
            elsewhere.append(problem)
    return elsewhere
