"""What a pickle may name, and what stands in for it: arrays of numpy, joblib, scipy, chumpy; containers.

Every stand-in is made of checked numbers and bytes; no array is made before its size is known to be there.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from ..rig.errors import FormatError

__all__ = ["ARRAYS", "Inline", "Known", "Pickled", "Plain", "StandIn", "bounded", "plain"]

Pickled = Any  # whatever a pickle may hold
Plain = Callable[[Pickled], Pickled]
_MOST = 1 << 24  # numbers of an array that takes more room than its bytes in the file
_CODE: Final = re.compile(r"[biufSUO]\d{0,9}")


@dataclass(frozen=True)
class Known:
    """A function or class that a pickle may name.

    Attributes:
        make: what calling it gives here.
        about: what else stand-ins need of it.
    """

    make: Callable[..., Any]
    about: Pickled = None


class StandIn:
    """An object that a pickle makes; its state follows."""

    def build(self, state: Pickled) -> None:
        """Take over what the pickle says of the object."""
        raise ValueError(f"a state for a {type(self).__name__}")

    def finish(self, plain: Plain) -> Pickled:
        """The value it stands for; `plain` finishes what is in its state."""
        raise ValueError(f"a {type(self).__name__} without a state")


class Inline(StandIn):
    """An array whose bytes lie in the stream, after the step that builds it."""

    def read(self, take: Callable[[int], bytes]) -> None:
        """Take its bytes from the stream."""
        raise NotImplementedError


def plain(value: Pickled) -> Pickled:
    """The value without stand-ins.

    Raises:
        FormatError: a stand-in is damaged, or nested too deeply.
    """
    try:
        return _Finisher()(value)
    except FormatError:
        raise
    except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise FormatError(f"the pickle holds a damaged array: {error}") from error


class _Finisher:
    """Finishes every object once, so that shared ones stay shared."""

    def __init__(self) -> None:
        self._done: dict[int, Any] = {}
        self._begun: dict[int, Any] = {}  # keeps what it has met, so that no id comes twice

    def __call__(self, value: Pickled) -> Pickled:
        if not isinstance(value, StandIn | dict | list | tuple | Known):
            return value
        if id(value) not in self._done:
            if id(value) in self._begun:
                raise ValueError("an object that holds itself")
            self._begun[id(value)] = value
            self._done[id(value)] = self._finished(value)
        return self._done[id(value)]

    def _finished(self, value: Pickled) -> Pickled:
        if isinstance(value, Known):
            raise FormatError("the pickle holds a function or class; expected arrays")
        if isinstance(value, StandIn):
            return value.finish(self)
        if isinstance(value, dict):
            return {key: self(item) for key, item in value.items()}
        return type(value)(self(item) for item in value)


def bounded(shape: tuple[Any, ...], most: int) -> tuple[int, ...]:
    """The shape if it is one, of at most so many numbers.

    Raises:
        ValueError: it is not.
    """
    sizes = tuple(int(size) for size in shape)
    if len(sizes) > 32 or min(sizes, default=0) < 0 or math.prod(sizes) > most:
        raise ValueError(f"an array of shape {str(sizes)[:60]}")
    return sizes


class _Dtype(StandIn):
    def __init__(self, code: Pickled, *_: Pickled) -> None:
        if not (isinstance(code, str) and _CODE.fullmatch(code)):
            told = code[:20] if isinstance(code, str) else type(code).__name__
            raise FormatError(f"the pickle holds an array of {told}, expected numbers")
        self._code = code
        self._order: Literal["<", ">", "=", "|"] = "="

    def build(self, state: Pickled) -> None:
        _, order, parts, names, fields, *_ = state
        if (parts, names, fields) != (None, None, None) or order not in ("<", ">", "=", "|"):
            raise FormatError("the pickle holds an array of records, expected numbers")
        self._order = order

    def finish(self, plain: Plain) -> "np.dtype[Any]":
        return np.dtype(self._code).newbyteorder(self._order)


def _dtype(value: Pickled) -> "np.dtype[Any]":
    if not isinstance(value, _Dtype):
        raise ValueError("an array without a kind of number")
    return value.finish(lambda item: item)


class _Array(StandIn):
    def __init__(self, *_: Pickled) -> None:
        self._state: tuple[Any, Any, Any, Any] | None = None

    def build(self, state: Pickled) -> None:
        *_, shape, kind, by_columns, data = state
        self._state = shape, kind, by_columns, data

    def finish(self, plain: Plain) -> Pickled:
        if self._state is None:
            return super().finish(plain)
        shape, kind, by_columns, data = self._state
        dtype = _dtype(kind)
        if not dtype.hasobject:
            return _filled(_bytes(data), dtype, shape, by_columns)
        values = [plain(item) for item in _list(data)]
        return values if shape != () else values[0]


def _bytes(data: Pickled) -> bytes:
    content = data.encode("latin-1") if isinstance(data, str) else data  # Python 2's bytes are text
    if not isinstance(content, bytes):
        raise ValueError(f"an array of {type(data).__name__}")
    return content


def _list(data: Pickled) -> list[Any]:
    if not isinstance(data, list):
        raise ValueError(f"objects in a {type(data).__name__}")
    return data


def _filled(
    content: bytes, dtype: "np.dtype[Any]", shape: Pickled, by_columns: Pickled
) -> npt.NDArray[Any]:
    sizes = bounded(shape, max(len(content), 1))
    if dtype.itemsize * math.prod(sizes) != len(content):
        raise ValueError(f"{len(content)} bytes for an array of shape {sizes}")
    if not content:
        return np.zeros(sizes, dtype)
    return np.frombuffer(content, dtype).reshape(sizes, order="F" if by_columns else "C")


def _from_buffer(data: Pickled, kind: Pickled, shape: Pickled, order: Pickled) -> _Array:
    array = _Array()
    array.build((shape, kind, order == "F", data))
    return array


def _scalar(kind: Pickled, data: Pickled) -> Pickled:
    dtype = _dtype(kind)
    if dtype.hasobject:
        raise ValueError("an object for a number")
    return _filled(_bytes(data), dtype, (), False).item()


class _State(StandIn):
    """An object whose state is a dictionary."""

    def __init__(self, *_: Pickled) -> None:
        self._state: dict[str, Any] | None = None

    def build(self, state: Pickled) -> None:
        if not isinstance(state, dict):
            raise ValueError(f"a state that is a {type(state).__name__}")
        self._state = state

    def _array(self, plain: Plain, name: str) -> npt.NDArray[Any]:
        array = self._part(plain, name)
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
            raise ValueError(f"a {type(self).__name__} whose {name} is no array of numbers")
        return array

    def _part(self, plain: Plain, *names: str) -> Pickled:
        for name in names:
            if self._state is not None and name in self._state:
                return plain(self._state[name])
        raise ValueError(f"a {type(self).__name__} without {names[0]}")


class _Joblib(_State, Inline):
    """joblib's `NumpyArrayWrapper`."""

    _filled_in: npt.NDArray[Any] | None = None

    def read(self, take: Callable[[int], bytes]) -> None:
        state = self._state or {}
        dtype, shape = _dtype(state.get("dtype")), bounded(state["shape"], 1 << 40)
        if dtype.hasobject:
            raise FormatError("the file holds an array of objects, expected numbers")
        if state.get("numpy_array_alignment_bytes") is not None:
            take(take(1)[0])
        content = take(dtype.itemsize * math.prod(shape))
        self._filled_in = _filled(content, dtype, shape, state.get("order") == "F")

    def finish(self, plain: Plain) -> Pickled:
        return self._filled_in


class _Sparse(_State):
    """scipy's matrix in compressed columns or rows, made dense."""

    def __init__(self, by_columns: bool) -> None:
        super().__init__()
        self._by_columns = by_columns

    def finish(self, plain: Plain) -> npt.NDArray[np.float64]:
        shape = bounded(self._part(plain, "_shape", "shape"), _MOST)
        lines, count = shape if not self._by_columns else shape[::-1]
        starts = self._array(plain, "indptr").astype(np.int64)
        across = self._array(plain, "indices").astype(np.int64)
        data = self._array(plain, "data").astype(np.float64)
        steps = np.diff(starts)
        whole = starts.shape == (lines + 1,) and starts[0] == 0 and starts[-1] == len(data)
        if not whole or across.shape != data.shape or data.ndim != 1 or steps.min(initial=0) < 0:
            raise ValueError("a sparse matrix whose parts don't fit")
        if len(across) and not 0 <= across.min() <= across.max() < count:
            raise ValueError("a sparse matrix with a number outside")
        dense = np.zeros((lines, count))
        np.add.at(dense, (np.repeat(np.arange(lines), steps), across), data)
        return dense.T if self._by_columns else dense


class _Chumpy(_State):
    """chumpy's `Ch`: the array it wraps."""

    def finish(self, plain: Plain) -> npt.NDArray[np.float64]:
        return self._array(plain, "x").astype(np.float64)


class _ChumpySelect(_State):
    """chumpy's `Select`: numbers taken out of another array."""

    def finish(self, plain: Plain) -> npt.NDArray[np.float64]:
        values = self._array(plain, "a").astype(np.float64).ravel()
        places = self._array(plain, "idxs").astype(np.int64).ravel()
        shape = bounded(tuple(self._part(plain, "preferred_shape")), _MOST)
        return values[places].reshape(shape)


def _dictionary(*arguments: Pickled) -> dict[Any, Any]:
    """An empty OrderedDict or defaultdict; Python 2 lists the first one's items."""
    if len(arguments) == 1 and isinstance(arguments[0], list):
        return {_key(key): value for key, value in arguments[0]}
    return {}


def _key(key: Pickled) -> Pickled:
    if not isinstance(key, str | int | float):
        raise ValueError(f"a {type(key).__name__} as a key")
    return key


def _reconstructed(kind: Pickled, *_: Pickled) -> Pickled:
    """Protocols 0 and 1 make every object through this one function."""
    if not (isinstance(kind, Known) and isinstance(kind.about, str)):
        raise ValueError("an object of an unknown class")
    return kind.make()


def _encoded(text: Pickled, encoding: Pickled = "latin1") -> bytes:
    if not (isinstance(text, str) and encoding in ("latin1", "latin-1")):
        raise ValueError("bytes in an unknown encoding")
    return text.encode("latin-1")


def _nothing(*_: Pickled) -> Pickled:
    raise ValueError("a class that only names a kind")


def _copied(kind: type) -> Callable[..., Any]:
    def make(*arguments: Pickled) -> Pickled:
        if len(arguments) > 1 or not all(isinstance(a, list | tuple) for a in arguments):
            raise ValueError(f"a {kind.__name__} of something else than a list")
        items = arguments[0] if arguments else ()
        if kind in (set, frozenset):
            return kind(_key(item) for item in items)
        return kind(items)

    return make


def _in_modules(modules: tuple[str, ...], known: Mapping[str, Known]) -> dict[str, Known]:
    return {f"{module}.{name}": what for module in modules for name, what in known.items()}


_BUILTINS: Final = {
    "object": Known(_nothing),
    "dict": Known(_dictionary),
    "list": Known(_copied(list)),
    "tuple": Known(_copied(tuple)),
    "set": Known(_copied(set)),
    "frozenset": Known(_copied(frozenset)),
    "bytes": Known(lambda: b""),
    "int": Known(_nothing),
    "float": Known(_nothing),
}
ARRAYS: Final[Mapping[str, Known]] = {
    **_in_modules(("builtins", "__builtin__"), _BUILTINS),
    **_in_modules(
        ("numpy.core.multiarray", "numpy._core.multiarray"),
        {"_reconstruct": Known(_Array), "scalar": Known(_scalar)},
    ),
    **_in_modules(
        ("numpy.core.numeric", "numpy._core.numeric"), {"_frombuffer": Known(_from_buffer)}
    ),
    **_in_modules(
        ("scipy.sparse.csc", "scipy.sparse._csc"),
        {"csc_matrix": Known(lambda *_: _Sparse(True), "class")},
    ),
    **_in_modules(
        ("scipy.sparse.csr", "scipy.sparse._csr"),
        {"csr_matrix": Known(lambda *_: _Sparse(False), "class")},
    ),
    **_in_modules(("copyreg", "copy_reg"), {"_reconstructor": Known(_reconstructed)}),
    "numpy.ndarray": Known(_Array, "class"),
    "numpy.dtype": Known(_Dtype),
    "chumpy.ch.Ch": Known(_Chumpy, "class"),
    "chumpy.reordering.Select": Known(_ChumpySelect, "class"),
    "joblib.numpy_pickle.NumpyArrayWrapper": Known(_Joblib, "class"),
    "collections.OrderedDict": Known(_dictionary),
    "collections.defaultdict": Known(_dictionary),
    "_codecs.encode": Known(_encoded),
}
