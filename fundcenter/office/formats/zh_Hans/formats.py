"""How days and times are written in lists: 2026-03-16, as on vouchers and statements."""

DATE_FORMAT = "Y-m-d"
DATETIME_FORMAT = "Y-m-d H:i"
TIME_FORMAT = "H:i"
