"""Everything that Blender is told, in one list; and taken back, in reverse."""

import atexit

import bpy

from ..operators import FILE_HANDLERS, OPERATORS, live_current, video_overlay
from .detectors import add_detectors
from .panels import PANELS
from .preferences import PALLAS_AP_preferences
from .properties import PROPERTY_GROUPS, PALLAS_PG_scene

__all__ = ["CLASSES", "register", "unregister"]

CLASSES = (*PROPERTY_GROUPS, PALLAS_AP_preferences, *OPERATORS, *FILE_HANDLERS, *PANELS)

_commands: list[object] = []  # handles that Blender wants back


def register() -> None:
    """Add operators, panels, properties, preferences and `blender --command pallas`."""
    add_detectors()
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.Scene.pallas = bpy.props.PointerProperty(type=PALLAS_PG_scene)
    _commands.append(bpy.utils.register_cli_command("pallas", _command_line))
    bpy.app.handlers.load_pre.append(_leave_live)
    video_overlay.enable()
    if bpy.app.module:
        # `import bpy` in a plain Python: what is still registered there when it ends crashes it.
        atexit.register(unregister)


def unregister() -> None:
    """Take it all out again."""
    atexit.unregister(unregister)
    live_current.disconnect()
    video_overlay.disable()
    bpy.app.handlers.load_pre.remove(_leave_live)
    while _commands:
        bpy.utils.unregister_cli_command(_commands.pop())
    del bpy.types.Scene.pallas
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)


@bpy.app.handlers.persistent
def _leave_live(*_: object) -> None:
    """Another file is about to be opened: the take is closed, devices are let go."""
    live_current.disconnect()


def _command_line(arguments: list[str]) -> int:
    """`blender --command pallas …`: the same program as `pallas …`."""
    from .cli import main

    return main(arguments)
