"""The steps of a pickle, followed without running anything it names.

A pickle is a program: it names functions and says with what they are called. What it names is looked up here
in a table of stand-ins of our own. Nothing is imported, no foreign code is called, and what is not in the
table ends the reading with one error that names it. Protocols 0 to 5, after Python's `pickletools`.
"""

import codecs
import io
import struct
from collections.abc import Callable, Mapping
from typing import Any, Final

from ..rig.errors import FormatError
from .pickled import Inline, Known, Pickled, StandIn

__all__ = ["Machine"]

_SHOWN = 80  # characters of a foreign name that an error repeats
_LONGEST = 1 << 16  # bytes of an integer
_MARK: Final = object()
_KEYS = (str, bytes, int, float, bool, type(None))  # hashed in time that their length bounds

Persistent = Callable[[Any], Any]


class Machine:
    """Follows the steps of the pickles in one stream.

    Args:
        stream: the bytes.
        known: by "module.name", what a pickle may name.
        persistent: gives the value of what a pickle points to outside itself.
    """

    def __init__(
        self,
        stream: io.BytesIO,
        known: Mapping[str, Known],
        persistent: Persistent | None = None,
    ) -> None:
        self._stream = stream
        self._known = known
        self._persistent = persistent
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def run(self) -> Pickled:
        """Follow one pickle to its end: its value, stand-ins not yet replaced (see `pickled.plain`).

        Raises:
            FormatError: it is cut or damaged, or names something that is not known.
        """
        self._stack, self._memo = [], {}
        try:
            while (step := self._take(1)) != b".":
                self._step(step)
            return self._pop()
        except FormatError:
            raise
        except _DAMAGE as error:
            raise FormatError(
                f"the pickle is damaged near byte {self._stream.tell()}: {error}"
            ) from error

    def _step(self, step: bytes) -> None:
        if step in _NUMBERS:
            shape = _NUMBERS[step]
            self._stack.append(struct.unpack(shape, self._take(struct.calcsize(shape)))[0])
        elif step in _COUNTED:
            shape, convert = _COUNTED[step]
            (count,) = struct.unpack(shape, self._take(struct.calcsize(shape)))
            self._stack.append(convert(self._take(count)))
        elif step in _LINES:
            self._stack.append(_LINES[step](self._line()))
        elif step in _CONSTANTS:
            self._stack.append(_CONSTANTS[step]())
        elif step in _STEPS:
            _STEPS[step](self)
        else:
            raise FormatError(f"the pickle has step {step!r}, which is not followed here")

    def _take(self, count: int) -> bytes:
        content = self._stream.read(count) if count >= 0 else b""
        if len(content) != count:
            raise FormatError("the pickle is cut; save or copy the file again")
        return content

    def _line(self) -> bytes:
        line = self._stream.readline()
        if not line.endswith(b"\n"):
            raise FormatError("the pickle is cut; save or copy the file again")
        return line[:-1]

    def _pop(self) -> Pickled:
        value = self._stack.pop()
        if value is _MARK:
            raise ValueError("a mark where a value belongs")
        return value

    def _items(self) -> list[Any]:
        """What was put on the stack since the last mark."""
        for at in range(len(self._stack) - 1, -1, -1):
            if self._stack[at] is _MARK:
                items = self._stack[at + 1 :]
                del self._stack[at:]
                return items
        raise ValueError("no mark")

    def _top(self, kind: type) -> Pickled:
        value = self._stack[-1]
        if not isinstance(value, kind):
            raise ValueError(f"a {type(value).__name__} where a {kind.__name__} belongs")
        return value

    def _tuple(self, count: int) -> None:
        items = [self._pop() for _ in range(count)]
        self._stack.append(tuple(reversed(items)))

    def _set_items(self, items: list[Any]) -> None:
        target = self._top(dict)
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[_checked_key(key)] = value

    def _remember(self, place: int) -> None:
        self._memo[place] = self._stack[-1]

    def _recall(self, place: int) -> None:
        self._stack.append(self._memo[place])

    def _global(self, module: str, name: str) -> None:
        known = self._known.get(f"{module}.{name}")
        if known is None:
            raise FormatError(
                f"the pickle names {f'{module}.{name}'[:_SHOWN]!r}, which is neither an array nor a plain "
                "value; nothing of it was run. Save the numbers with numpy.savez instead"
            )
        self._stack.append(known)

    def _call(self) -> None:
        arguments, called = self._pop(), self._pop()
        if not (isinstance(called, Known) and isinstance(arguments, tuple)):
            raise ValueError("a value is called that is no function")
        self._stack.append(called.make(*arguments))

    def _build(self) -> None:
        state = self._pop()
        built = self._top(StandIn)
        built.build(state)
        if isinstance(built, Inline):
            built.read(self._take)

    def _persistent_value(self) -> None:
        if self._persistent is None:
            raise FormatError("the pickle points to data outside itself; expected all of it inside")
        self._stack.append(self._persistent(self._pop()))


def _checked_key(key: Pickled) -> Pickled:
    simple = isinstance(key, tuple) and all(isinstance(part, _KEYS) for part in key)
    if not (simple or isinstance(key, _KEYS)):
        raise ValueError(f"a {type(key).__name__} as a key")
    return key


def _long(content: bytes) -> int:
    if len(content) > _LONGEST:
        raise ValueError("an integer of absurd length")
    return int.from_bytes(content, "little", signed=True)


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogatepass")


def _old_text(content: bytes) -> str:
    """Python 2's text, whose bytes may be numbers: one character a byte."""
    return content.decode("latin-1")


def _quoted(line: bytes) -> str:
    line = line.strip()
    if len(line) < 2 or line[:1] not in (b"'", b'"') or line[-1:] != line[:1]:
        raise ValueError("text without quotation marks")
    return codecs.escape_decode(line[1:-1])[0].decode("latin-1")


def _integer(line: bytes) -> int | bool:
    return line == b"01" if line in (b"00", b"01") else int(line)


def _python2_long(line: bytes) -> int:
    return int(line.removesuffix(b"L"))


def _raw_unicode(line: bytes) -> str:
    return line.decode("raw_unicode_escape")


def _line_of_global(machine: Machine) -> None:
    module, name = machine._line(), machine._line()
    machine._global(module.decode("utf-8", "replace"), name.decode("utf-8", "replace"))


def _stack_global(machine: Machine) -> None:
    name, module = machine._pop(), machine._pop()
    if not (isinstance(module, str) and isinstance(name, str)):
        raise ValueError("a name that is no text")
    machine._global(module, name)


def _dictionary(machine: Machine) -> None:
    items = machine._items()
    machine._stack.append({})
    machine._set_items(items)


def _set_one(machine: Machine) -> None:
    value, key = machine._pop(), machine._pop()
    machine._set_items([key, value])


def _append_one(machine: Machine) -> None:
    value = machine._pop()
    machine._top(list).append(value)


def _append_all(machine: Machine) -> None:
    items = machine._items()
    machine._top(list).extend(items)


def _add_all(machine: Machine) -> None:
    items = machine._items()
    machine._top(set).update(_checked_key(item) for item in items)


def _frozen(machine: Machine) -> None:
    machine._stack.append(frozenset(_checked_key(item) for item in machine._items()))


def _skipped(count: int) -> Callable[[Machine], object]:
    return lambda machine: machine._take(count)


def _place(shape: str, then: Callable[[Machine, int], None]) -> Callable[[Machine], object]:
    def step(machine: Machine) -> None:
        then(machine, struct.unpack(shape, machine._take(struct.calcsize(shape)))[0])

    return step


_DAMAGE = (
    ArithmeticError, IndexError, KeyError, MemoryError, RecursionError, TypeError, UnicodeError, ValueError,
    struct.error,
)  # fmt: skip
_NUMBERS: Final = {b"J": "<i", b"K": "<B", b"M": "<H", b"G": ">d"}
_COUNTED: Final[dict[bytes, tuple[str, Callable[[bytes], Any]]]] = {
    b"T": ("<i", _old_text),
    b"U": ("<B", _old_text),
    b"X": ("<I", _text),
    b"\x8c": ("<B", _text),
    b"\x8d": ("<Q", _text),
    b"B": ("<I", bytes),
    b"C": ("<B", bytes),
    b"\x8e": ("<Q", bytes),
    b"\x96": ("<Q", bytes),
    b"\x8a": ("<B", _long),
    b"\x8b": ("<i", _long),
}
_LINES: Final[dict[bytes, Callable[[bytes], Any]]] = {
    b"F": float,
    b"I": _integer,
    b"L": _python2_long,
    b"S": _quoted,
    b"V": _raw_unicode,
}
_CONSTANTS: Final[dict[bytes, Callable[[], Any]]] = {
    b"(": lambda: _MARK,
    b"N": lambda: None,
    b"\x88": lambda: True,
    b"\x89": lambda: False,
    b")": tuple,
    b"]": list,
    b"}": dict,
    b"\x8f": set,
}
_STEPS: Final[dict[bytes, Callable[[Machine], object]]] = {
    b"\x80": _skipped(1),
    b"\x95": _skipped(8),
    b"0": lambda m: m._stack.pop(),
    b"1": lambda m: m._items(),
    b"2": lambda m: m._stack.append(m._stack[-1]),
    b"t": lambda m: m._stack.append(tuple(m._items())),
    b"\x85": lambda m: m._tuple(1),
    b"\x86": lambda m: m._tuple(2),
    b"\x87": lambda m: m._tuple(3),
    b"l": lambda m: m._stack.append(m._items()),
    b"d": _dictionary,
    b"s": _set_one,
    b"u": lambda m: m._set_items(m._items()),
    b"a": _append_one,
    b"e": _append_all,
    b"\x90": _add_all,
    b"\x91": _frozen,
    b"c": _line_of_global,
    b"\x93": _stack_global,
    b"R": lambda m: m._call(),
    b"\x81": lambda m: m._call(),
    b"b": lambda m: m._build(),
    b"Q": lambda m: m._persistent_value(),
    b"p": lambda m: m._remember(int(m._line())),
    b"q": _place("<B", Machine._remember),
    b"r": _place("<I", Machine._remember),
    b"\x94": lambda m: m._remember(len(m._memo)),
    b"g": lambda m: m._recall(int(m._line())),
    b"h": _place("<B", Machine._recall),
    b"j": _place("<I", Machine._recall),
}
