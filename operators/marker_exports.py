"""Exports for biomechanists: joint angles, markers and the model."""

import bpy
from bpy.props import StringProperty

from ..capture.coordinates import COORDINATE_SUFFIXES, write_coordinates
from ..capture.markers import MARKER_SUFFIXES, write_markers
from ..capture.textfile import write_text
from ..scene.markers import read_marker_set
from ..scene.osim_armature import model_text
from ..scene.solution import has_solution, read_solution
from .files import ExportOperator, offered
from .markers import has_markers, in_scene

__all__ = ["PALLAS_OT_export_mot", "PALLAS_OT_export_osim", "PALLAS_OT_export_trc"]


def _moving(context):
    """The armature that was solved, or that is chosen."""
    settings = context.scene.pallas.markers
    return next(
        (item for item in (settings.solved, settings.model) if in_scene(context, item)), None
    )


class PALLAS_OT_export_mot(ExportOperator, bpy.types.Operator):
    """Write the coordinates that were solved: joint angles in degrees, places in metres"""

    bl_idname = "pallas.export_mot"
    bl_label = "Export MOT"
    suffix = ".mot"

    filepath: StringProperty(name="MOT", subtype="FILE_PATH")
    filter_glob: offered(COORDINATE_SUFFIXES)

    @classmethod
    def poll(cls, context):
        if not has_solution(_moving(context)):
            cls.poll_message_set("Solve markers first")
            return False
        return True

    def source(self, context):
        return _moving(context).animation_data.action

    def run(self, context):
        with self.telling():
            found = read_solution(_moving(context))
        path = self.path()
        write_coordinates(path, found.model, found.pose, found.times, force=self.overwrite)
        return f"Wrote {path}: {len(found.pose)} frames, {found.pose.shape[1]} coordinates"


class PALLAS_OT_export_trc(ExportOperator, bpy.types.Operator):
    """Write the markers as they are in the scene, with what was edited, as TRC or C3D"""

    bl_idname = "pallas.export_trc"
    bl_label = "Export TRC"
    suffix = ".trc"

    filepath: StringProperty(name="TRC", subtype="FILE_PATH")
    filter_glob: offered(MARKER_SUFFIXES)

    @classmethod
    def poll(cls, context):
        return has_markers(cls, context)

    def source(self, context):
        return context.scene.pallas.markers.markers

    def run(self, context):
        context.view_layer.update()
        markers, path = read_marker_set(self.source(context)), self.path()
        write_markers(path, markers, force=self.overwrite)
        return f"Wrote {path}: {len(markers.names)} markers, {len(markers)} frames"


class PALLAS_OT_export_osim(ExportOperator, bpy.types.Operator):
    """Write the model with its markers where the bones wear them; an armature as a model of ball joints"""

    bl_idname = "pallas.export_osim"
    bl_label = "Export OSIM"
    suffix = ".osim"

    filepath: StringProperty(name="OSIM", subtype="FILE_PATH")
    filter_glob: offered([suffix])

    @classmethod
    def poll(cls, context):
        if _moving(context) is None:
            cls.poll_message_set("Import an OpenSim model or choose an armature first")
            return False
        return True

    def source(self, context):
        return _moving(context)

    def run(self, context):
        context.view_layer.update()
        with self.telling():
            text = model_text(self.source(context))
        write_text(self.path(), text, force=self.overwrite)
        return f"Wrote {self.path()}"
