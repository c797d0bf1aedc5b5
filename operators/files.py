"""What operators share that begin with a file: which files are offered, and how one is asked for."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, StringProperty

from .common import PallasOperator

__all__ = ["ExportOperator", "ImportOperator", "offered"]


def offered(suffixes: Iterable[str]) -> Any:  # noqa: ANN401  Blender's deferred property
    """The property `filter_glob`: Blender's file browser shows files of these suffixes only."""
    return StringProperty(default=";".join(f"*{suffix}" for suffix in suffixes), options={"HIDDEN"})


class ImportOperator(PallasOperator):
    """Mixin: the button asks for the file that `filepath` names."""

    def invoke(self, context, event):
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def path(self) -> Path:
        return Path(bpy.path.abspath(self.filepath))


class ExportOperator(ImportOperator):
    """Mixin: asks for a file, with a name to begin with; never replaces one unless told."""

    bl_options = {"REGISTER"}
    suffix = ""

    overwrite: BoolProperty(name="Overwrite", description="Replace a file that is there")

    def invoke(self, context, event):
        if not self.filepath:
            name = bpy.path.clean_name(self.source(context).name)
            self.filepath = f"{name}{self.suffix}"
        return super().invoke(context, event)

    def path(self) -> Path:
        path = super().path()
        return path if path.suffix else path.with_suffix(self.suffix)
