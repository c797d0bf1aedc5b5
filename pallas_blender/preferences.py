"""The add-on's preferences: is torch there, and how to get it."""

import importlib.util
import sys
from pathlib import Path

import bpy
from bpy.props import StringProperty

__all__ = ["PALLAS_AP_preferences", "torch_state"]


def torch_state(folder: str) -> str:
    """Where torch would be loaded from, without loading it; empty if it is nowhere."""
    found = importlib.util.find_spec("torch")
    if found is not None and found.origin is not None:
        return str(Path(found.origin).parent)
    there = Path(folder) / "torch" / "__init__.py"
    return str(there.parent) if folder and there.is_file() else ""


class PALLAS_AP_preferences(bpy.types.AddonPreferences):
    bl_idname = __package__.rpartition(".")[0]

    torch_folder: StringProperty(
        name="Torch Folder",
        description="A site-packages folder that holds torch for this Blender's Python",
        subtype="DIR_PATH",
    )

    def draw(self, context):
        column = self.layout.column()
        there = torch_state(bpy.path.abspath(self.torch_folder))
        if there:
            column.label(text=f"torch found: {there}", icon="CHECKMARK")
        else:
            version = f"{sys.version_info.major}.{sys.version_info.minor}"
            column.label(text="torch is missing; solving needs it. Two ways:", icon="ERROR")
            column.label(text="use the PALLAS zip with torch inside, made for this platform, or")
            column.label(text=f"choose the site-packages of a Python {version} that has torch:")
        column.prop(self, "torch_folder")
