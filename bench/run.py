"""``make bench``: run every benchmark, or those named; ``--record`` writes bench/RESULTS.md.

Usage: bench/run.py [--record] [--full] [--passes N] [--races N] [name …]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import city, peers, posting, races, sheet
from bench.report import Options
from fundcenter import database
from fundcenter.clock import CHINA

BENCHMARKS = {**posting.BENCHMARKS, **sheet.BENCHMARKS, **races.BENCHMARKS, **peers.BENCHMARKS}
RESULTS = Path(__file__).with_name("RESULTS.md")
PREFACE = """\
# Measurements

Written by `bench/run.py --record`; never edited by hand, never a test. Each figure is the median of the passes, with the
least and the greatest in parentheses; a ratio is taken within each pass, whose sides run one after the other, and then
over the passes. fsync is on, autovacuum off; before each measurement of a month everything is vacuumed, analysed and checkpointed.
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], help=" ".join(BENCHMARKS))
    parser.add_argument("--record", action="store_true", help="rewrite bench/RESULTS.md")
    parser.add_argument("--full", action="store_true", help="growth also with 1,000,000 members")
    parser.add_argument("--passes", type=int, default=5)
    parser.add_argument("--races", type=int, default=Options.races, help="how many documents two reviewers race for")
    given = parser.parse_args()
    load = os.getloadavg()[0]
    tables = []
    try:
        for name in given.names or BENCHMARKS:
            for table in BENCHMARKS[name](Options(given.passes, given.full, given.races)):
                print(table.markdown(), flush=True)
                tables.append(table.markdown())
        there = f"{machine()} Load average {load:.1f} before and {os.getloadavg()[0]:.1f} after, our own included.\n"
    finally:
        database.stop()
    print(there)
    if given.record:
        RESULTS.write_text("\n".join([PREFACE, there, *tables]), encoding="utf-8")
    return 0


def machine() -> str:
    cpu = next(line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name"))
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    names = ["server_version", "shared_buffers", "work_mem"]
    with database.connect_superuser() as postgres:
        shown: dict[str, str] = dict(
            postgres.execute("select name, current_setting(name) from pg_settings where name = any(%s)", [names])
        )
    git = ["git", "-C", str(city.ROOT)]
    commit = subprocess.run(
        [*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    changed = subprocess.run([*git, "status", "--short"], capture_output=True, text=True, check=False).stdout.strip()
    return (
        f"{datetime.now(CHINA):%Y-%m-%d}, commit {commit}{' with changes' if changed else ''}: {cpu.partition(':')[2].strip()}, "
        f"{os.cpu_count()} cores, {memory:.0f} GB; PostgreSQL {shown['server_version']}, shared_buffers "
        f"{shown['shared_buffers']}, work_mem {shown['work_mem']}; Python {sys.version.split()[0]}."
    )


if __name__ == "__main__":
    sys.exit(main())
