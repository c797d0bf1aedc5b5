"""Look through a camera; take away the keys of a bad stretch, so that the next solve fills it."""

import bpy
from bpy.props import StringProperty

from ..rig.errors import SceneError
from ..scene.camera_objects import is_calibrated, look_through
from ..scene.keypoint_keys import clear_keys
from ..scene.markers import MARKER_PROPERTY, is_marker_set, marker_objects
from .common import PallasOperator

__all__ = ["PALLAS_OT_clear_keypoints", "PALLAS_OT_look_through"]


class PALLAS_OT_look_through(PallasOperator, bpy.types.Operator):
    """Look through this camera: it becomes the scene's, and the render size and shape of pixels become those of its clip, so that both lie over each other"""  # noqa: E501  a tooltip

    bl_idname = "pallas.look_through"
    bl_label = "Look Through"
    bl_options = {"REGISTER", "UNDO"}

    camera: StringProperty(name="Camera", options={"SKIP_SAVE"})

    def run(self, context):
        item = context.scene.objects.get(self.camera)
        if item is None or not is_calibrated(item):
            raise SceneError(
                f"found no calibrated camera {self.camera!r} in this scene; import views first"
            )
        width, height = look_through(context.scene, item)
        space = context.space_data
        if space is not None and space.type == "VIEW_3D":
            space.region_3d.view_perspective = "CAMERA"
        return f"{item.name}: pictures are {width} x {height} pixels now"


class PALLAS_OT_clear_keypoints(PallasOperator, bpy.types.Operator):
    """Delete the keys of the selected keypoints, of all if none is selected, from the first to the last frame of the panel; the next solve uses what is left and fills the stretch"""  # noqa: E501  a tooltip

    bl_idname = "pallas.clear_keypoints"
    bl_label = "Clear Stretch"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context):
        if not is_marker_set(context.scene.pallas.video.keypoints):
            cls.poll_message_set("Import views first")
            return False
        return True

    def run(self, context):
        settings = context.scene.pallas.video
        first, last = settings.clear_start, settings.clear_end
        if first > last:
            raise SceneError(f"the stretch ends on {last}, before it begins on {first}")
        every = list(marker_objects(settings.keypoints).values())
        chosen = [item for item in every if item.select_get()] or every
        count = clear_keys(chosen, first, last)
        names = {str(item[MARKER_PROPERTY]) for item in chosen}
        who = ", ".join(sorted(names)[:3]) + (
            "" if len(names) < 4 else f" and {len(names) - 3} more"
        )
        return f"{count} keys of {who} are gone on frames {first} to {last}"
