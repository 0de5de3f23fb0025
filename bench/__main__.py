"""What ChatInbox is measured by: `bin/bench`, `--quick` (two minutes at most), `--json`. Every speed is told beside a
reference in the same run (bench/reference.py), because machines are noisy and ratios are not.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import uvloop

from bench import beside, measure
from bench.report import Report


def main() -> int:
    """Runs the bench; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="bin/bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="smaller loads, ten thousand messages, under two minutes"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--only", help="names of measures, by commas")
    parser.add_argument(
        "--beside", type=Path, help="a folder with another checkout: what the hot paths cost beside it"
    )
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="chatinbox-bench-"))
    folder.chmod(0o755)
    report = Report(quiet=given.json, only=set(given.only.split(",")) if given.only else None)
    try:
        if given.beside:
            uvloop.run(beside.compare(folder, given.beside, report, 5 if given.quick else 15))
        else:
            uvloop.run(measure.everything(folder, report, quick=given.quick))
    finally:
        measure.tidy(folder)
        shutil.rmtree(folder, ignore_errors=True)
    if given.json:
        print(json.dumps(report.values))
    else:
        print(
            f"\n{os.cpu_count()} cores; python {sys.version.split()[0]}; {report.missed or 'no'} bars missed"
        )
    return bool(report.missed)


if __name__ == "__main__":
    raise SystemExit(main())
