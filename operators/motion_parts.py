"""What a motion's file holds: its people, or its clips, to choose one."""

import bpy

from ..capture.sources import people_in
from ..scene.importing import IMPORTED_SUFFIXES, clips_in
from .common import PallasOperator
from .retarget_task import motion_path

__all__ = ["PALLAS_OT_list_parts"]


class PALLAS_OT_list_parts(PallasOperator, bpy.types.Operator):
    """Look which people or clips the file holds, to choose one; without a choice it is the person seen longest, or the current clip"""  # noqa: E501  a tooltip

    bl_idname = "pallas.list_parts"
    bl_label = "Look Into File"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context):
        if not context.scene.pallas.retarget.file:
            cls.poll_message_set("Choose a motion file")
            return False
        return True

    def run(self, context):
        settings = context.scene.pallas.retarget
        path = motion_path(settings)
        imported = path.suffix.lower() in IMPORTED_SUFFIXES
        with self.telling():
            found = clips_in(path) if imported else people_in(path)
        settings.parts.clear()
        for name in found:
            settings.parts.add().name = name
        if settings.part not in found:
            settings.part = ""
        return f"{path.name}: {len(found)} {'clips' if imported else 'people'}: {', '.join(found)}"
