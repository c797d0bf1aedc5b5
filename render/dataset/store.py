"""The folder of a dataset: files appear whole or not at all, and a frame is done when its record is there."""

import hashlib
import json
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from ...rig.errors import OutputError

__all__ = ["Store", "digest_of", "json_bytes"]

_WORK: Final = ".work"
_IDENTITY: Final = "dataset.json"


def json_bytes(value: object) -> bytes:
    """JSON with sorted keys: equal values give equal bytes."""
    return (
        json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"
    ).encode()


def digest_of(content: bytes) -> str:
    """SHA-256, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


class Store:
    """Writes into one dataset's folder, beside others who may do the same.

    Args:
        folder: of the dataset; made if it isn't there.
        identity: what the dataset is made of; a folder with another one is refused.

    Raises:
        OutputError: the folder can't be made, holds another dataset, or holds something else.
    """

    def __init__(self, folder: Path, identity: dict[str, Any]) -> None:
        self.folder = folder
        self._own = folder / _WORK / f"{socket.gethostname()}-{os.getpid()}"
        _check_folder(folder)
        self.sweep()
        with _telling(folder):
            self._own.mkdir(parents=True, exist_ok=True)
        self._settle(identity)

    def write(self, name: str, content: bytes) -> str:
        """Write a file, replacing one that is there; returns its digest.

        Raises:
            OutputError: there is no room, or it can't be written.
        """
        path = self.folder / name
        temporary = self._own / f"{digest_of(name.encode())[:16]}"
        with _telling(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(content)
            temporary.replace(path)
        return digest_of(content)

    @contextmanager
    def writing(self, name: str) -> Iterator[Path]:
        """A temporary path that becomes the file when the block ends without an error."""
        path = self.folder / name
        temporary = self._own / f"{digest_of(name.encode())[:16]}"
        with _telling(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            temporary.replace(path)

    @property
    def scratch(self) -> Path:
        """A folder for files of the moment."""
        return self._own

    def has(self, name: str) -> bool:
        """Whether a file is there."""
        return (self.folder / name).is_file()

    def read_json(self, name: str) -> Any:  # noqa: ANN401  JSON
        """A file of our own."""
        return json.loads((self.folder / name).read_bytes())

    def close(self) -> None:
        """Leave no temporary files."""
        shutil.rmtree(self._own, ignore_errors=True)
        self.sweep()

    def sweep(self) -> None:
        """Take away what killed processes of this machine left."""
        work = self.folder / _WORK
        for left in work.glob(f"{socket.gethostname()}-*"):
            process = left.name.rpartition("-")[2]
            if process.isdecimal() and int(process) != os.getpid() and not _runs(int(process)):
                shutil.rmtree(left, ignore_errors=True)
        if work.is_dir() and not any(work.iterdir()):
            try:
                work.rmdir()
            except OSError:  # someone began to work there
                return

    def _settle(self, identity: dict[str, Any]) -> None:
        """Write who we are, or see that the folder is ours."""
        path = self.folder / _IDENTITY
        if not path.is_file():
            self.write(_IDENTITY, json_bytes(identity))
            return
        try:
            there = json.loads(path.read_bytes())
        except (OSError, ValueError) as error:
            raise OutputError(
                f"{path} can't be read ({error}); choose another folder with -o"
            ) from error
        if there != json.loads(json_bytes(identity)):
            raise OutputError(
                f"{self.folder} holds {_difference(there, identity)}; choose another folder with -o"
            )


def _difference(there: Any, identity: dict[str, Any]) -> str:  # noqa: ANN401  JSON
    """Why a folder is another dataset's, in words."""
    if not isinstance(there, dict):
        return "another dataset"
    for name, meaning in (("blender", "with Blender"), ("version", "by PALLAS' format")):
        if there.get(name) != identity.get(name):
            return f"a dataset rendered {meaning} {there.get(name)}, not {identity.get(name)}"
    if there.get("motions") != identity.get("motions"):
        return "a dataset of other motions (files came or went since it was begun)"
    old, new = there.get("spec", {}), identity["spec"]
    changed = [
        f"{key} in [{table}]"
        for table, keys in new.items()
        for key, value in keys.items()
        if old.get(table, {}).get(key) != json.loads(json.dumps(value))
    ]
    return f"a dataset of another spec ({', '.join(changed[:4]) or 'another version'} differs)"


def _check_folder(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file; expected a folder; choose another name with -o")
    if folder.is_dir() and not (folder / _IDENTITY).is_file():
        strange = [found.name for found in folder.iterdir() if found.name != _WORK]
        if strange:
            raise OutputError(
                f"{folder} holds {sorted(strange)[0]} and no dataset; choose an empty folder with -o"
            )


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


@contextmanager
def _telling(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{path} can't be written: {error.strerror or error}; what is done is kept: "
            "make room and run the same command again"
        ) from error
