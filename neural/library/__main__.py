"""`python -m pallas.neural.library build --data DIR --out DIR`, the same as `pallas library build`."""

import argparse
import sys
from pathlib import Path

from ...rig.errors import PallasError
from .build import BuildReport, build_library


def main() -> int:
    """Build a library; 0 done, 1 a user's error in one line."""
    parser = argparse.ArgumentParser(prog="pallas.neural.library", description=__doc__)
    parser.add_argument("action", choices=("build",))
    parser.add_argument("--data", type=Path, required=True, help="folder with the motion data")
    parser.add_argument("--out", type=Path, required=True, help="folder of the library")
    parser.add_argument("--force", action="store_true", help="build over a library that is there")
    arguments = parser.parse_args()
    try:
        report = build_library(arguments.data, arguments.out, force=arguments.force)
    except PallasError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(_line(report) + "\n")
    return 0


def _line(report: BuildReport) -> str:
    minutes = sum(entry.minutes for entry in report.entries)
    return f"{len(report.entries)} clips, {minutes:.1f} minutes; see rejected.csv for what was left out"


if __name__ == "__main__":
    sys.exit(main())
