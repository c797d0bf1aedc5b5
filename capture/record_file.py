"""A file of checksummed records that only grows: what was appended a second ago survives a crash."""

import json
import time as clock
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..rig.errors import OutputError
from .recording_layout import CHECKSUM, HEAD

__all__ = ["RecordFile"]

_FLUSH_SECONDS = 0.5


class RecordFile:
    """One line of JSON, then records; see docs/recording-format.md.

    The file is there under its own name from the first moment.

    Attributes:
        path: of the file, as errors name it.

    Args:
        path: the file to write.
        header: what the first line says.
        force: replace a file that is there.

    Raises:
        OutputError: the file is there already and `force` is off, or it can't be written.
    """

    def __init__(self, path: Path | str, header: Mapping[str, Any], *, force: bool = False) -> None:
        self.path = Path(path)
        self._last_flush = clock.monotonic()
        if self.path.exists() and not force:
            raise OutputError(f"{path} is there already; choose another name or pass --force")
        try:
            self._file = self.path.open("wb")
        except OSError as error:
            raise self._failed(error) from error
        try:
            self._file.write(json.dumps(header, ensure_ascii=False).encode() + b"\n")
            self._file.flush()
        except OSError as error:
            with suppress(OSError):  # closing tries to write once more
                self._file.close()
            raise self._failed(error) from error

    def append(self, tag: bytes, payload: bytes) -> None:
        """Append one record.

        Raises:
            OutputError: it can't be written, or the file is closed.
        """
        record = HEAD.pack(tag, len(payload)) + payload
        try:
            self._file.write(record + CHECKSUM.pack(zlib.crc32(record)))
        except (OSError, ValueError) as error:  # ValueError: it is closed
            raise self._failed(error) from error
        self.tick()

    def tick(self) -> None:
        """Flush if it is time; to be called now and then where records may stop coming.

        Raises:
            OutputError: the file can't be written.
        """
        if clock.monotonic() - self._last_flush < _FLUSH_SECONDS or self._file.closed:
            return
        try:
            self._file.flush()
        except OSError as error:
            raise self._failed(error) from error
        self._last_flush = clock.monotonic()

    def close(self) -> None:
        """Flush and close; closing twice is allowed.

        Raises:
            OutputError: the last records can't be written.
        """
        try:
            self._file.close()
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError | ValueError) -> OutputError:
        told = getattr(error, "strerror", None) or error
        return OutputError(f"{self.path} can't be written: {told}")
