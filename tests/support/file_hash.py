"""A hash of all of a Blender file's data, so that a test can say that nothing else was changed."""

import hashlib

import bpy
import numpy as np

# What differs without anything having been changed: pointers, what is only shown, how often it is used.
_SKIPPED = {
    "rna_type",
    "original",
    "users",
    "use_fake_user",
    "is_evaluated",
    "depsgraph",
    "dimensions",
    "action_suitable_slots",
    "use_nodes",
    "session_uid",
    "bl_system_properties",
}
_NOT_DATA = {
    "screens",
    "window_managers",
    "workspaces",
    "brushes",
    "libraries",
    "version",
    "rna_type",
}

_BONES = (bpy.types.Bone, bpy.types.PoseBone, bpy.types.BoneCollection)
_KINDS = {"FLOAT": np.float32, "INT": np.int32, "ENUM": np.int32, "BOOLEAN": np.bool_}
_MESH = {
    "name",
    "vertices",
    "materials",
    "shape_keys",
}  # of a mesh only these, for the time it takes


def file_hash(*, without: tuple[str, ...] = (), pose_of: tuple[str, ...] = ()) -> str:
    """A digest of every datablock of the file.

    Args:
        without: names of Actions that are left out.
        pose_of: objects whose current Action, and what Actions set (channels of the pose, custom properties
            of its bones), is left out.
    """
    found = hashlib.sha256()
    for collection in sorted(
        p.identifier for p in bpy.data.bl_rna.properties if p.type == "COLLECTION"
    ):
        if collection in _NOT_DATA:
            continue
        for item in sorted(getattr(bpy.data, collection), key=lambda one: one.name_full):
            if not (collection == "actions" and item.name in without):
                walk = _Walk(found, item.name_full in pose_of)
                walk.struct(f"{collection}[{item.name_full}]", item, 0)
    return found.hexdigest()


class _Walk:
    def __init__(self, found, posed: bool) -> None:
        self.found, self.posed = found, posed

    def struct(self, path: str, item, depth: int) -> None:
        for prop in item.bl_rna.properties:
            name = prop.identifier
            if isinstance(item, bpy.types.Mesh) and name not in _MESH:
                continue
            if name in _SKIPPED or (self.posed and self._of_pose(path, name)):
                continue
            try:
                value = getattr(item, name)
            except (AttributeError, RuntimeError, ValueError):
                continue
            self.value(f"{path}.{name}", prop, value, depth)
        if isinstance(item, (bpy.types.ID, bpy.types.PoseBone, bpy.types.Bone)):
            for key in sorted(item.keys()):
                if not (self.posed and isinstance(item, bpy.types.PoseBone)):
                    self.note(f"{path}[{key}]", str(item[key]))

    def value(self, path: str, prop, value, depth: int) -> None:
        if prop.type == "POINTER":
            if isinstance(value, bpy.types.ID):
                self.note(path, value.name_full)
            elif value is None or isinstance(value, _BONES):
                self.note(path, value.name if value else "")
            elif depth < 4:
                self.struct(path, value, depth + 1)
        elif path.endswith((".vertices", ".keyframe_points")):
            self.arrays(value)
        elif prop.type == "COLLECTION":
            for number, part in enumerate(value):
                if isinstance(part, bpy.types.ID):
                    self.note(f"{path}[{number}]", part.name_full)
                elif isinstance(part, _BONES) and path.endswith((".children", ".collections")):
                    self.note(f"{path}[{number}]", part.name)
                elif depth < 4:
                    self.struct(f"{path}[{number}]", part, depth + 1)
        elif getattr(prop, "is_array", False):
            self.note(path, str(list(value)))
        else:
            self.note(path, str(value))

    def arrays(self, many) -> None:
        """What vertices and keys hold, each property of all of them read at once."""
        mesh = len(many) > 0 and isinstance(many[0], bpy.types.MeshVertex)
        for prop in many[0].bl_rna.properties if len(many) else ():
            kind = _KINDS.get(prop.type)
            if kind is not None and (prop.identifier == "co" or not mesh):
                held = np.empty(len(many) * max(getattr(prop, "array_length", 0), 1), kind)
                many.foreach_get(prop.identifier, held)
                self.found.update(held.tobytes())

    def note(self, path: str, told: str) -> None:
        self.found.update(f"{path}={told}\n".encode())

    def _of_pose(self, path: str, name: str) -> bool:
        if ".pose.bones[" in path and path.endswith("]"):
            moved = name.startswith(
                ("rotation_", "location", "matrix", "head", "tail", "length", "ik_stretch")
            )
            return moved and name != "rotation_mode"
        current = name in ("action", "action_slot", "action_slot_handle", "last_slot_identifier")
        return path.endswith(".animation_data") and current
