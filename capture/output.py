"""Writing without loss: to a temporary name first, renamed when complete, never over what is there."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..rig.errors import OutputError

__all__ = ["new_file"]


@contextmanager
def new_file(path: Path | str, *, force: bool = False) -> Iterator[Path]:
    """Give a temporary path beside `path`; rename it to `path` when the block ends without an error.

    The temporary name keeps the suffix, so writers that look at it work.

    Raises:
        OutputError: `path` is there already and `force` is off, its folder is missing, or it can't be
            written.
    """
    path = Path(path)
    if path.exists() and not force:
        raise OutputError(f"{path} is there already; choose another name or pass --force")
    if not path.parent.is_dir():
        raise OutputError(f"the folder {path.parent} does not exist; create it first")
    temporary = path.with_name(f".{path.stem[:100]}.{uuid.uuid4().hex[:8]}{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        if error.filename is not None and Path(error.filename) not in (temporary, path):
            raise
        raise OutputError(f"{path} can't be written: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)
