"""Markers: measured ones and the model that wears them come into the scene, and meet."""

from pathlib import Path

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty

from ..capture.markers import MARKER_SUFFIXES, read_markers
from ..capture.osim import read_osim
from ..capture.textfile import naming, read_text
from ..scene.clock import Clock
from ..scene.markers import add_markers, is_marker_set
from ..scene.model_markers import attach_markers
from ..scene.osim_armature import add_osim, is_osim
from ..scene.residuals import hide_residuals, residuals_shown, show_residuals
from .common import PallasOperator
from .files import ImportOperator, offered

__all__ = [
    "PALLAS_OT_attach_markers",
    "PALLAS_OT_import_markers",
    "PALLAS_OT_import_osim",
    "PALLAS_OT_show_residuals",
    "has_markers",
    "in_scene",
]


def in_scene(context: bpy.types.Context, item: bpy.types.Object | None) -> bool:
    """Whether an object that the panel names is still in the scene."""
    return item is not None and context.scene in item.users_scene


def has_markers(operator: type, context: bpy.types.Context) -> bool:
    """Whether an operator has measured markers to work on; its button says so where there are none."""
    marker_set = context.scene.pallas.markers.markers
    if not in_scene(context, marker_set) or not is_marker_set(marker_set):
        operator.poll_message_set("Import markers first")
        return False
    return True


class PALLAS_OT_import_markers(ImportOperator, bpy.types.Operator):
    """Import optical markers as animated empties, one each, at the scene's own frame rate; this view no longer draws lines from objects to their parents"""  # noqa: E501  a tooltip

    bl_idname = "pallas.import_markers"
    bl_label = "Import Markers"
    bl_options = {"REGISTER", "UNDO"}

    filepath: StringProperty(name="Markers", subtype="FILE_PATH")
    filter_glob: offered(MARKER_SUFFIXES)
    up: EnumProperty(
        name="Up",
        description="The file's axis that points up",
        items=(
            (
                "AUTO",
                "As the File",
                "What the file says, else the axis along which the body stands",
            ),
            *((axis, axis.upper(), "") for axis in ("x", "y", "z", "-x", "-y", "-z")),
        ),
    )
    unit: EnumProperty(
        name="Unit",
        description="Of the file's numbers",
        items=(
            ("AUTO", "As the File", "What the file says"),
            *((unit, unit, "") for unit in ("mm", "cm", "m", "inch")),
        ),
    )
    fit_range: BoolProperty(
        name="Extend Scene",
        description="Move the scene's last frame back if the recording is longer",
        default=True,
    )

    def run(self, context):
        path = self.path()
        up, unit = (None if word == "AUTO" else word for word in (self.up, self.unit))
        with self.telling():
            markers = read_markers(path, up=up, unit=unit)
        marker_set = add_markers(markers, path.stem)
        settings = context.scene.pallas.markers
        settings.markers, settings.summary = marker_set, ""
        space = context.space_data
        if space is not None and space.type == "VIEW_3D":  # a line from each marker hides them all
            space.overlay.show_relationship_lines = False
        last = Clock.of(marker_set).frames(len(markers))[-1]
        if self.fit_range:
            context.scene.frame_end = max(context.scene.frame_end, round(last))
        return f"{path.name}: {len(markers.names)} markers, {len(markers)} frames at {markers.fps:g} Hz"


class PALLAS_OT_import_osim(ImportOperator, bpy.types.Operator):
    """Import an OpenSim model as an armature: a bone for every body, and the markers that it wears"""

    bl_idname = "pallas.import_osim"
    bl_label = "Import OpenSim Model"
    bl_options = {"REGISTER", "UNDO"}

    filepath: StringProperty(name="Model", subtype="FILE_PATH")
    filter_glob: offered([".osim"])
    marker_set: StringProperty(
        name="Marker Set",
        description="XML file whose markers replace the model's of the same name and follow the others",
        subtype="FILE_PATH",
    )

    def run(self, context):
        path = self.path()
        markers = None
        with self.telling(), naming(path):
            if self.marker_set:
                markers = read_osim(path, Path(bpy.path.abspath(self.marker_set))).markers
            armature = add_osim(read_text(path), path.stem, markers=markers)
        context.scene.pallas.markers.model = armature
        worn = len(armature.children)
        return f"{path.name}: {len(armature.data.bones)} bodies, {worn} markers"


class PALLAS_OT_attach_markers(PallasOperator, bpy.types.Operator):
    """Let the armature's bones wear the markers where both are at this frame: pose the armature as the performer stands, or the markers' parent over it, first"""  # noqa: E501  a tooltip

    bl_idname = "pallas.attach_markers"
    bl_label = "Attach Markers"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context):
        settings = context.scene.pallas.markers
        if not has_markers(cls, context):
            return False
        if not in_scene(context, settings.model):
            cls.poll_message_set("Choose an armature first")
            return False
        if is_osim(settings.model):
            cls.poll_message_set("An OpenSim model wears its own markers already")
            return False
        return True

    def run(self, context):
        settings = context.scene.pallas.markers
        context.view_layer.update()
        bones = attach_markers(settings.model, settings.markers)
        return f"{settings.model.name} wears {len(bones)} markers on {len({*bones.values()})} bones"


class PALLAS_OT_show_residuals(PallasOperator, bpy.types.Operator):
    """Show or hide a ball on every marker, coloured by its distance from the model: blue 0, green 10, yellow 20, red 40 mm"""  # noqa: E501  a tooltip

    bl_idname = "pallas.show_residuals"
    bl_label = "Residual Colours"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context):
        return has_markers(cls, context)

    def run(self, context):
        marker_set = context.scene.pallas.markers.markers
        if residuals_shown(marker_set):
            hide_residuals(marker_set)
            _shade(context, "OBJECT", "MATERIAL")
            return "Residual colours are hidden"
        count = show_residuals(marker_set)
        _shade(context, "MATERIAL", "OBJECT")
        return f"{count} markers in the colours of their residuals"


def _shade(context, former, colour):
    """Let this 3D view colour by object, or by material again."""
    space = context.space_data
    if space is not None and space.type == "VIEW_3D" and space.shading.color_type == former:
        space.shading.color_type = colour
