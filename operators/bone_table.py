"""The table of bones: what each bone of the character does, matched, edited, saved, loaded."""

import bpy
from bpy.props import StringProperty

from ..rig.errors import SceneError
from ..rig.retarget import ROLES, BoneMap, Bones
from ..rig.retarget.bone_map import TWISTS
from ..rig.retarget.map_file import load_map, save_map
from ..rig.retarget.matching import match_bones
from ..scene.linked import armatures_of, overridden
from ..scene.retarget_target import Target, read_target, select_bones
from .common import PallasOperator
from .files import ExportOperator, ImportOperator, offered

__all__ = [
    "PALLAS_OT_load_bone_map",
    "PALLAS_OT_match_bones",
    "PALLAS_OT_save_bone_map",
    "PALLAS_OT_show_unmapped",
    "own_character",
    "read_table",
    "target_of",
    "told_map",
]

_SEVERAL = ("spine", "neck", *TWISTS)  # roles that may have more than one bone


class PALLAS_OT_match_bones(PallasOperator, bpy.types.Operator):
    """Find what each bone of the character does, by its names and how the bones hang together"""

    bl_idname = "pallas.match_bones"
    bl_label = "Match Bones"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context):
        return _has_target(cls, context)

    def run(self, context):
        character, target = target_of(context)
        found = match_bones(target.bones)
        _fill(context, character, found)
        unsure = sum(sure < 0.6 for sure in found.confidence.values())
        return (
            f"{character.name}: {sum(map(len, found.bones.values()))} bones matched, {unsure} unsure, "
            f"{len(found.unmapped)} not mapped"
        )


class PALLAS_OT_load_bone_map(ImportOperator, bpy.types.Operator):
    """Read what each bone of the character does from a file that was saved here"""

    bl_idname = "pallas.load_bone_map"
    bl_label = "Load Map"
    bl_options = {"REGISTER", "UNDO"}

    filepath: StringProperty(name="Map", subtype="FILE_PATH")
    filter_glob: offered((".json",))

    @classmethod
    def poll(cls, context):
        return _has_target(cls, context)

    def run(self, context):
        character, target = target_of(context)
        found = load_map(self.path(), target.bones)
        _fill(context, character, found)
        return f"{character.name}: {sum(map(len, found.bones.values()))} bones mapped"


class PALLAS_OT_save_bone_map(ExportOperator, bpy.types.Operator):
    """Write the table of bones to a file, to be loaded for the next character of this kind"""

    bl_idname = "pallas.save_bone_map"
    bl_label = "Save Map"
    suffix = ".json"

    filepath: StringProperty(name="Map", subtype="FILE_PATH")
    filter_glob: offered((".json",))

    @classmethod
    def poll(cls, context):
        if not _has_target(cls, context):
            return False
        if not len(context.scene.pallas.retarget.bones):
            cls.poll_message_set("Match bones first")
            return False
        return True

    def source(self, context):
        return context.scene.pallas.retarget.target

    def run(self, context):
        _, target = target_of(context)
        path = self.path()
        save_map(
            path, read_table(context.scene.pallas.retarget, target.bones), force=self.overwrite
        )
        return f"Saved {path.name}"


class PALLAS_OT_show_unmapped(PallasOperator, bpy.types.Operator):
    """Select the character's bones that the motion doesn't move, and no others"""

    bl_idname = "pallas.show_unmapped"
    bl_label = "Show Unmapped"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context):
        return _has_target(cls, context)

    def run(self, context):
        settings = context.scene.pallas.retarget
        character, target = target_of(context)
        unmapped = read_table(settings, target.bones).unmapped
        select_bones(character, unmapped)
        return f"{character.name}: {len(unmapped)} bones not mapped"


def told_map(
    settings: bpy.types.PropertyGroup, character: bpy.types.Object, target: Target
) -> BoneMap | None:
    """What the table says of a character's bones, None if it is of another character or empty."""
    if len(settings.bones) and settings.matched == character.name:
        return read_table(settings, target.bones)
    return None


def target_of(context: bpy.types.Context) -> tuple[bpy.types.Object, Target]:
    """The character of the panel, checked and read; a linked one is overridden before it is changed.

    Raises:
        SceneError: as `read_target` does.
    """
    settings = context.scene.pallas.retarget
    character = settings.target
    if character is not None and character not in armatures_of(context.scene):
        raise SceneError(f"{character.name!r} is not in this scene; choose another character")
    source = settings.armature if settings.source == "ARMATURE" else None
    context.view_layer.update()
    return character, read_target(character, source, linked=True)


def own_character(context: bpy.types.Context, name: str) -> tuple[bpy.types.Object, str]:
    """The object of a full name, an override of it if it is linked, and what to tell then.

    Raises:
        SceneError: it is gone, or Blender can't override it.
    """
    item = next((one for one in armatures_of(context.scene) if one.name_full == name), None)
    if item is None:
        raise SceneError(f"{name!r} was deleted or renamed; retarget again")
    own = overridden(item, context)
    if own == item:
        return own, ""
    settings = context.scene.pallas.retarget
    if settings.target == item:
        settings.target = own
    return own, " (a library override now)"


def read_table(settings: bpy.types.PropertyGroup, bones: Bones) -> BoneMap:
    """The table as a map.

    Raises:
        SceneError: it names a bone that the character lacks, or one twice.
    """
    mapped: dict[str, tuple[str, ...]] = {}
    sure: dict[str, float] = {}
    for row in settings.bones:
        if not row.bone:
            continue
        if row.bone not in bones.names:
            raise SceneError(
                f"the table has {row.bone!r} as {row.name}, which the character lacks; match bones again"
            )
        if row.bone in sure:
            raise SceneError(f"the table has {row.bone!r} twice; clear one of the two rows")
        mapped[row.name] = (*mapped.get(row.name, ()), row.bone)
        sure[row.bone] = row.confidence
    unmapped = tuple(name for name in bones.names if name not in sure)
    return BoneMap(mapped, sure, unmapped, settings.rig)


def _has_target(cls: type, context: bpy.types.Context) -> bool:
    if context.scene.pallas.retarget.target is None:
        cls.poll_message_set("Choose the character")
        return False
    return True


def _fill(context: bpy.types.Context, character: bpy.types.Object, found: BoneMap) -> None:
    settings = context.scene.pallas.retarget
    settings.bones.clear()
    for role in ROLES:
        names = found.bones.get(role, ())
        several = role.partition("_")[2] in _SEVERAL or role in _SEVERAL
        for name in (*names, "") if several or not names else names:
            row = settings.bones.add()
            row.name, row.bone = role, name
            row.confidence = found.confidence.get(name, 0.0)
    settings.rig, settings.matched = found.rig, character.name
    settings.active_bone = 0
