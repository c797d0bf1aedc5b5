"""DeepLabCut's .h5, as pandas writes it, read without pandas: nothing in it is unpickled.

A group (`df_with_missing`) holds a table whose columns have the levels scorer, (individuals,) bodyparts and
coords. pandas has two ways to write it:

    fixed: block0_values (T, C); of each level of the columns the different names, block0_items_level0 …, and
           for each column which of them it has, block0_items_label0 …; axis1 the frames' numbers
    table: rows of index and values_block_0 (C,) …; each block's columns only as a pickled list of tuples, the
           attribute values_block_0_kind

Of that list only tuples of texts are read, by `safe_pickle`, which makes nothing else.
"""

import io
from typing import Any, Final

import numpy as np

from ...rig.arrays import Array
from ...rig.errors import FormatError
from ..safe_pickle import parse_pickle
from ..textfile import LARGEST
from .deeplabcut import keypoints_of_columns
from .keypoints import Keypoints

__all__ = ["parse_deeplabcut_hdf"]

_LEVELS: Final = {
    3: ("scorer", "bodyparts", "coords"),
    4: ("scorer", "individuals", "bodyparts", "coords"),
}
_MOST_COLUMNS: Final = 20_000
_MOST_NUMBERS: Final = 200_000_000


def parse_deeplabcut_hdf(content: bytes) -> Keypoints:
    """Keypoints of the bytes of DeepLabCut's .h5, one person or several.

    Raises:
        FormatError: h5py is not installed, the file is damaged, or holds no table of DeepLabCut's.
    """
    try:
        import h5py  # noqa: PLC0415  optional
    except ImportError:
        raise FormatError(
            "it is an HDF5 file, and h5py is not installed; install it (pip install h5py), or save "
            "DeepLabCut's results as CSV"
        ) from None
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            group = _group(file)
            columns, frames, values = _fixed(group) if "block0_values" in group else _table(group)
    except FormatError:
        raise
    except Exception as error:  # noqa: BLE001  h5py raises whatever damaged bytes lead to
        raise FormatError(
            f"it is no readable HDF5, it is cut or damaged: {str(error)[:100]}"
        ) from None
    return keypoints_of_columns(_headers(columns), frames, values)


def _group(file: Any) -> Any:  # noqa: ANN401  h5py
    """The first group that looks like a table of pandas."""
    for name in file:
        item = file.get(name)
        if hasattr(item, "keys") and ("block0_values" in item or "table" in item):
            return item
    held = ", ".join(map(str, file))[:80] or "nothing"
    raise FormatError(f"the HDF5 file holds {held}; expected DeepLabCut's df_with_missing")


def _fixed(group: Any) -> tuple[list[tuple[str, ...]], Array, Array]:  # noqa: ANN401  h5py
    """Columns' names by level, frames (T,) and values (T, C)."""
    if "block1_values" in group:
        raise FormatError("its columns have several kinds of numbers; save it as CSV")
    levels: list[list[str]] = []
    while f"block0_items_level{len(levels)}" in group and len(levels) < max(_LEVELS):
        level = len(levels)
        names = [_text(name) for name in _read(group[f"block0_items_level{level}"], _MOST_COLUMNS)]
        codes = _read(group[f"block0_items_label{level}"], _MOST_COLUMNS)
        if codes.ndim != 1 or codes.dtype.kind not in "iu" or not names:
            raise FormatError("its columns have no names; expected DeepLabCut's levels")
        if codes.min(initial=0) < 0 or codes.max(initial=0) >= len(names):
            raise FormatError("a column has a name that is not there; the file is damaged")
        levels.append([names[code] for code in codes])
    columns = list(zip(*levels, strict=True)) if levels else []
    return columns, _numbers(_read(group["axis1"])), _numbers(_read(group["block0_values"]))


def _table(group: Any) -> tuple[list[tuple[str, ...]], Array, Array]:  # noqa: ANN401  h5py
    dataset = group["table"]
    names = dataset.dtype.names or ()
    blocks = [name for name in names if name.startswith("values_block_")]
    if "index" not in names or not blocks:
        raise FormatError(
            f"its table has the fields {', '.join(names)[:80]}; expected index and values"
        )
    rows = _read(dataset)
    columns: list[tuple[str, ...]] = []
    values = []
    for block in blocks:
        pickled = dataset.attrs[f"{block}_kind"]
        columns += _pickled_names(
            bytes(pickled) if not isinstance(pickled, str) else pickled.encode()
        )
        values.append(_numbers(rows[block]).reshape(len(rows), -1))
    return columns, _numbers(rows["index"]), np.concatenate(values, axis=1)


def _pickled_names(pickled: bytes) -> list[tuple[str, ...]]:
    found = parse_pickle(pickled)
    good = isinstance(found, list) and all(
        isinstance(row, tuple) and all(isinstance(name, str) for name in row) for row in found
    )
    if not good or len(found) > _MOST_COLUMNS:
        raise FormatError("its columns' names are no texts; expected DeepLabCut's levels")
    return found


def _read(dataset: Any, most: int = _MOST_NUMBERS) -> Any:  # noqa: ANN401  h5py
    size = dataset.size * max(dataset.dtype.itemsize // 8, 1)
    if size > most * 8:
        raise FormatError(f"it holds {size} numbers, more than any recording; the file is damaged")
    return dataset[()]


def _numbers(values: Any) -> Array:  # noqa: ANN401  h5py
    if values.dtype.kind not in "iuf":
        raise FormatError(f"values are of type {values.dtype}; expected numbers")
    numbers: Array = values.astype(np.float64)
    if (np.abs(numbers) >= LARGEST).any():  # NaN compares false
        raise FormatError("it holds numbers that no picture has; the file is damaged")
    return numbers


def _text(name: Any) -> str:  # noqa: ANN401  h5py
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)


def _headers(columns: list[tuple[str, ...]]) -> dict[str, list[str]]:
    depths = {len(names) for names in columns}
    if len(depths) != 1 or not depths <= set(_LEVELS):
        raise FormatError(
            f"columns have {', '.join(map(str, sorted(depths))) or 'no'} levels of names; expected "
            "scorer, (individuals,) bodyparts and coords"
        )
    levels = _LEVELS[depths.pop()]
    return dict(zip(levels, map(list, zip(*columns, strict=True)), strict=True))
