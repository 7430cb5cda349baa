"""The tests' own city: loaded by ``-p tests.home`` before any settings are."""

import os
from pathlib import Path

os.environ["FUNDCENTER_HOME"] = str(Path(__file__).resolve().parent.parent / "var" / "test")
os.environ["FUNDCENTER_PG_FSYNC"] = "off"
os.environ["FUNDCENTER_TODAY"] = "2026-03-16"
os.environ.pop("DATABASE_URL", None)
os.environ.pop("DEMO", None)
