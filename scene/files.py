"""Blender files: what is open now, saved as a copy under another name."""

from pathlib import Path

import bpy

from ..capture.output import new_file

__all__ = ["save_copy"]


def save_copy(path: Path | str, *, force: bool = False) -> None:
    """Save the open file, compressed, under another name; the open file keeps its own.

    Raises:
        OutputError: the file is there already, or can't be written.
    """
    with new_file(path, force=force) as temporary:
        try:
            bpy.ops.wm.save_as_mainfile(filepath=str(temporary), copy=True, compress=True)
        except RuntimeError as error:  # Blender's word for a folder that can't be written
            raise OSError(0, str(error).strip()) from error
