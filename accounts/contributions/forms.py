"""What clerks type and choose in this room."""

from typing import Any

from django import forms

from fundcenter import months


class MonthField(forms.CharField):
    """2026-03, 202603 or 2026年3月."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text:
            return None
        try:
            return months.parse(text)
        except ValueError:
            raise forms.ValidationError(f"“{text}”不是年月，请写成 2026-03。") from None


class TemplateForm(forms.Form):
    employer = forms.CharField(label="单位账号", max_length=12)
    month = MonthField(label="缴存月份", max_length=12)
