"""The source paper's table: mean differences of joint angles, and marker errors, of two engines.

    python benchmarks/paper_table.py [--data DATA] [--methods lm lbfgs] [--write PAGE]

Hammond et al., "Development of a Pytorch-based Kinematic Engine", compare with CuSToM on a walk of which the
markers aren't public. Here the other engines are CuSToM, by its own published answer to a side step, and
OpenSim, which scales and places markers on a standing trial before it solves a walk.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from ik.peer import PeerError, Peers
from ik.report import fill
from paper.comparison import Row, angle_table, error_table, gains
from paper.sidestep import sidestep
from paper.walk import walk

ROOT = Path(__file__).resolve().parent.parent
MODEL = ROOT / "benchmarks" / "paper" / "lower_body.py"
METHODS = ("lm", "lbfgs")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables; with --write, put them and the model's source into the page."""
    options = _options(arguments)
    if not options.data.is_dir():
        raise SystemExit(f"paper_table: no folder {options.data} with the trials; set PALLAS_DATA")
    if not options.peers.exists():
        raise SystemExit(f"paper_table: no {options.peers}; `make peers` makes it")
    markers = options.data / "markers"
    stepped = _told(sidestep(markers / "cusTom_sidestep"))
    blocks = {"sidestep": _tables("CuSToM", stepped)}
    sys.stdout.write(blocks["sidestep"] + "\n")
    with tempfile.TemporaryDirectory(prefix="paper-table-") as folder:
        try:
            peers = Peers(options.peers, Path(folder))
            walked = _told(walk(markers / "opensim" / "Rajagopal", options.methods, peers))
        except PeerError as error:
            raise SystemExit(f"paper_table: {error}") from error
    blocks["walk"] = f"{_tables('OpenSim', walked)}\n{gains(walked)}"
    sys.stdout.write(blocks["walk"])
    if options.write:
        blocks["model"] = f"```python\n{MODEL.read_text(encoding='utf-8')}```\n"
        for name, block in blocks.items():
            fill(options.write, name, block)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    data = Path(os.environ.get("PALLAS_DATA", ROOT.parent / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=data, help="folder with markers/")
    parser.add_argument(
        "--methods", nargs="+", choices=METHODS, default=METHODS, help="of the walk"
    )
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the tables into this page")
    peers = ROOT / ".venv-peers" / "bin" / "python"
    parser.add_argument("--peers", type=Path, default=peers, help="Python of the other programs")
    return parser.parse_args(arguments)


def _told(rows: Iterable[Row]) -> list[Row]:
    """The rows, each told as it comes: `lbfgs` takes minutes."""
    found = []
    for row in rows:
        found.append(row)
        sys.stderr.write(f"{row.rms:6.2f} mm  {row.label}\n")
    return found


def _tables(other: str, rows: Sequence[Row]) -> str:
    return f"{angle_table(other, rows)}\n{error_table(rows)}"


if __name__ == "__main__":
    main()
