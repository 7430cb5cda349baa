#!/usr/bin/env python3
import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fundcenter.settings")
    from django.core.management import execute_from_command_line

    from fundcenter.database import DatabaseProblem

    try:
        execute_from_command_line(sys.argv)
    except DatabaseProblem as problem:
        sys.exit(f"数据库：{problem}")


if __name__ == "__main__":
    main()
