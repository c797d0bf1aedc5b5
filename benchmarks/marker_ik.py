"""Marker and sensor IK side by side: ours, OpenSim 4.6 and nimblephysics, in one run on one machine.

    python benchmarks/marker_ik.py [--data DATA] [--case NAME] [--repeats N] [--write docs/marker-ik.md]

Every engine gets the same model, trial and weights. Reading files and loading models is timed for none of
them. See docs/marker-ik.md for what is compared, and how.
"""

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ik.cases import CASES
from ik.more import MORE, Table
from ik.peer import PeerError, Peers
from ik.report import block, fill
from ik.speed import HEADER, rows

ROOT = Path(__file__).resolve().parent.parent
NAMES = (*(case.name for case in CASES), *MORE)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables; with --write, put them into the page."""
    options = _options(arguments)
    if not options.data.is_dir():
        raise SystemExit(f"marker_ik: no folder {options.data} with the trials; set PALLAS_DATA")
    if not options.peers.exists():
        raise SystemExit(f"marker_ik: no {options.peers}; `make peers` makes it")
    where = machine(options.repeats)
    _print(where)
    if options.write:
        fill(options.write, "machine", f"{where}\n")
    with tempfile.TemporaryDirectory(prefix="marker-ik-") as folder:
        peers = Peers(options.peers, Path(folder))
        for name in NAMES if options.case is None else [options.case]:
            try:
                table = (
                    _more(name, options, peers) if name in MORE else _speed(name, options, peers)
                )
            except PeerError as error:
                raise SystemExit(f"marker_ik: {name}: {error}") from error
            if options.write:
                fill(options.write, name, block(*table))


def machine(repeats: int) -> str:
    """One line about what it runs on, and whether something else does too."""
    listed = Path("/proc/cpuinfo")
    lines = listed.read_text(encoding="utf-8").splitlines() if listed.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    busy = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores of {names[0] if names else platform.processor()}, load {busy:.1f} "
        f"before the start; median of {repeats}."
    )


def _speed(name: str, options: argparse.Namespace, peers: Peers) -> Table:
    """One trial with all engines; rows are printed as they come."""
    case = next(case for case in CASES if case.name == name)
    files = case.files(options.data, peers)
    _print(f"\n{case.title}", HEADER)
    found = []
    for row in rows(case, files, peers, options.repeats):
        found.append(row.cells("°" if case.orientations else "mm"))
        _print(*found[-1:])
    return HEADER, found


def _more(name: str, options: argparse.Namespace, peers: Peers) -> Table:
    header, found = MORE[name](options.data, peers, options.repeats)
    _print(f"\n{name}", header, *found)
    return header, found


def _print(*lines: str | Sequence[str]) -> None:
    for line in lines:
        sys.stdout.write((line if isinstance(line, str) else "  " + " | ".join(line)) + "\n")
    sys.stdout.flush()


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    data = Path(os.environ.get("PALLAS_DATA", ROOT.parent / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=data, help="folder with markers/ and imu/")
    parser.add_argument("--case", choices=NAMES, help="only this one")
    parser.add_argument("--repeats", type=int, default=5, metavar="N", help="of which the median")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the tables into this page")
    peers = ROOT / ".venv-peers" / "bin" / "python"
    parser.add_argument("--peers", type=Path, default=peers, help="Python of the other programs")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
