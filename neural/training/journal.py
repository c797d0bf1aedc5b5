"""What a run says as it goes: a CSV file always, and TensorBoard where it is installed."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...capture.output import new_file

__all__ = ["Journal"]


class Journal:
    """`log.csv` with a row per checkpoint, and the same numbers as TensorBoard scalars.

    Args:
        folder: of the run.
        step: where the run goes on; rows beyond, of work that was lost, are taken out.
    """

    def __init__(self, folder: Path, step: int) -> None:
        self.path = folder / "log.csv"
        self._rows = [row for row in self._read() if int(row["step"]) <= step]
        self._board = _tensorboard(folder)

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """One row; a column is the name of a value."""
        numbers = {name: f"{value:.6g}" for name, value in values.items()}
        self._rows.append({"step": str(step), **numbers})
        columns = list(dict.fromkeys(name for row in self._rows for name in row))
        with (
            new_file(self.path, force=True) as temporary,
            temporary.open("w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.DictWriter(file, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(self._rows)
        if self._board is not None:
            for name, value in values.items():
                self._board.add_scalar(name, value, step)
            self._board.flush()

    def _read(self) -> list[dict[str, str]]:
        if not self.path.exists():
            return []
        with self.path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))


def _tensorboard(folder: Path) -> Any:  # noqa: ANN401 - a class of an optional package
    """TensorBoard's writer, or None where the package is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415 - slow, and optional
    except ImportError:
        return None
    return SummaryWriter(str(folder / "tensorboard"))
