"""Live: connect trackers, see characters follow, reset headings."""

import bpy
from bpy.props import IntProperty

from ..capture.devices.opening import open_device
from ..capture.devices.receiver import is_loopback
from ..rig.errors import DeviceError, SceneError
from . import live_current
from .common import PallasOperator
from .live_capture import LiveCapture
from .live_lists import look, own_characters

__all__ = [
    "PALLAS_OT_add_live_source",
    "PALLAS_OT_add_performer",
    "PALLAS_OT_connect_live",
    "PALLAS_OT_disconnect_live",
    "PALLAS_OT_remove_live_source",
    "PALLAS_OT_remove_performer",
]


class PALLAS_OT_add_live_source(PallasOperator, bpy.types.Operator):
    """Add what the field names to what is listened to"""

    bl_idname = "pallas.add_live_source"
    bl_label = "Add Source"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    @classmethod
    def poll(cls, context):
        return _while_apart(cls)

    def run(self, context):
        live = context.scene.pallas.live
        name = live.source.strip()
        open_device(name)  # tells in one line what is wrong with it; nothing is opened yet
        if name in live.sources:
            raise DeviceError(f"{name!r} is among the sources already")
        live.sources.add().name = name
        return f"Listens to {name}"


class PALLAS_OT_remove_live_source(PallasOperator, bpy.types.Operator):
    """No longer listen to this source"""

    bl_idname = "pallas.remove_live_source"
    bl_label = "Remove Source"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    place: IntProperty()

    @classmethod
    def poll(cls, context):
        return _while_apart(cls)

    def run(self, context):
        sources = context.scene.pallas.live.sources
        if not 0 <= self.place < len(sources):
            raise SceneError(f"there is no source {self.place}; there are {len(sources)}")
        sources.remove(self.place)
        return f"{len(sources)} sources"


class PALLAS_OT_connect_live(PallasOperator, bpy.types.Operator):
    """Listen to the sources; characters follow their performers once they are calibrated"""

    bl_idname = "pallas.connect_live"
    bl_label = "Connect"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context):
        return _while_apart(cls)

    def run(self, context):
        live = context.scene.pallas.live
        names = [source.name for source in live.sources] or [live.source.strip()]
        for name in names:
            _checked_network(name)
        paired = frozenset(tracker.name for tracker in live.trackers if tracker.paired)
        own_characters(context)
        capture = LiveCapture(names, paired, _vmc(live.vmc.strip()))
        capture.open()
        if not live.performers:
            live.performers.add().name = "Performer 1"
        live_current.connected(capture, look)
        return f"Listens to {', '.join(names)}"


class PALLAS_OT_disconnect_live(PallasOperator, bpy.types.Operator):
    """Stop listening; a take that is recorded is closed, and characters get their own poses back"""

    bl_idname = "pallas.disconnect_live"
    bl_label = "Disconnect"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context):
        return live_current.is_connected(cls)

    def run(self, context):
        live_current.disconnect()
        return "Disconnected"


class PALLAS_OT_add_performer(PallasOperator, bpy.types.Operator):
    """Add someone who wears trackers"""

    bl_idname = "pallas.add_performer"
    bl_label = "Add Performer"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    def run(self, context):
        performers = context.scene.pallas.live.performers
        new = performers.add()
        new.name = f"Performer {len(performers)}"
        return new.name


class PALLAS_OT_remove_performer(PallasOperator, bpy.types.Operator):
    """Remove the performer that is chosen in the list"""

    bl_idname = "pallas.remove_performer"
    bl_label = "Remove Performer"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    def run(self, context):
        live = context.scene.pallas.live
        if not live.active_performer < len(live.performers):
            raise SceneError("there is no performer to remove")
        live.performers.remove(live.active_performer)
        live.active_performer = max(live.active_performer - 1, 0)
        return f"{len(live.performers)} performers"


def _while_apart(cls: type) -> bool:
    if live_current.current() is not None:
        cls.poll_message_set("Disconnect first")
        return False
    return True


def _checked_network(source: str) -> None:
    """Blender's preferences decide about the network; programs of this computer are no network.

    Raises:
        DeviceError: there is no such device, or it listens to the network and that is not allowed.
    """
    _checked_host(source, getattr(open_device(source), "host", "127.0.0.1"))


def _checked_host(what: str, host: str) -> None:
    if not is_loopback(host) and not bpy.app.online_access:
        raise DeviceError(
            f"{what} uses the network, which Blender's preferences don't allow; tick Preferences > System > "
            "Allow Online Access, or use 127.0.0.1 only"
        )


def _vmc(text: str) -> tuple[str, int] | None:
    """Host and port of HOST:PORT.

    Raises:
        DeviceError: it is something else, or on the network, which is not allowed.
    """
    if not text:
        return None
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
        raise DeviceError(f"found {text!r} to send VMC to, expected HOST:PORT as 127.0.0.1:39539")
    _checked_host(text, host)
    return host, int(port)
