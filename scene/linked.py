"""Characters linked from other files: found where they stand, and overridden so that they can be keyed."""

from collections.abc import Iterator

import bpy
from mathutils import Matrix

from ..rig.errors import SceneError

__all__ = ["armatures_of", "overridden", "placing_of", "shown_armature"]


def armatures_of(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """The armatures of a scene, and those of linked collections that its empties show."""
    shown = [item for empty in _empties(scene) for item in empty.instance_collection.all_objects]
    found = [item for item in (*scene.objects, *shown) if item.type == "ARMATURE"]
    return list(dict.fromkeys(found))


def shown_armature(item: bpy.types.Object | None) -> bpy.types.Object | None:
    """The object if it is an armature; the armature of the linked collection that an empty shows; else None.

    Raises:
        SceneError: it shows several.
    """
    if item is None or item.type == "ARMATURE":
        return item
    if item.instance_type != "COLLECTION" or item.instance_collection is None:
        return None
    found = [o for o in item.instance_collection.all_objects if o.type == "ARMATURE"]
    if len(found) > 1:
        named = ", ".join(repr(one.name) for one in found)
        raise SceneError(
            f"{item.name!r} shows {len(found)} armatures ({named}); choose one of them"
        )
    return found[0] if found else None


def placing_of(item: bpy.types.Object, scene: bpy.types.Scene) -> Matrix:
    """Where a linked object is shown: world_from_its_own_file; the identity where no empty shows it."""
    empty = _empty_of(item, scene)
    if empty is None:
        return Matrix()
    offset = Matrix.Translation(empty.instance_collection.instance_offset)
    return empty.matrix_world @ offset.inverted()


def overridden(item: bpy.types.Object, context: bpy.types.Context) -> bpy.types.Object:
    """An object that can be keyed: itself, or of a linked one a library override with all that belongs to it.

    Blender's own way: the override takes the linked object's place in the scene; the file that it is linked
    from is not touched. What an empty showed stays where it was shown, and the empty goes.

    Args:
        item: an object of this file, an override, or a linked object that the scene shows.
        context: its scene and view layer.

    Raises:
        SceneError: Blender can't override it.
    """
    if item.library is None:
        if item.override_library is not None and item.override_library.is_system_override:
            item.override_library.is_system_override = (
                False  # one that follows another; now a user's
            )
        return item
    before = {o.name_full for o in bpy.data.objects}
    placing = placing_of(item, context.scene)
    _make_override(item, context)
    added = [o for o in bpy.data.objects if o.name_full not in before and o.override_library]
    own = next((o for o in added if o.override_library.reference == item), None)
    if own is None:
        raise _cannot(item, "it is not among what was overridden")
    own.override_library.is_system_override = False
    if placing != Matrix():
        for root in (o for o in added if o.parent is None):
            root.override_library.is_system_override = False
            root.matrix_world = placing @ root.matrix_world
    context.view_layer.update()
    return own


def _make_override(item: bpy.types.Object, context: bpy.types.Context) -> None:
    empty, linked = _empty_of(item, context.scene), _collection_of(item, context.scene)
    chosen = item if empty is None else empty
    if context.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    for other in context.view_layer.objects:
        other.select_set(False)
    if chosen.name_full not in {o.name_full for o in context.view_layer.objects}:
        raise _cannot(item, "it is not in the current view layer")
    chosen.select_set(True)
    context.view_layer.objects.active = chosen
    by_collection = empty is None and linked is not None
    options = {"collection": linked.session_uid} if by_collection else {}
    try:
        bpy.ops.object.make_override_library(**options)
    except RuntimeError as error:
        raise _cannot(item, str(error).strip().rpartition("Error: ")[2]) from error


def _cannot(item: bpy.types.Object, reason: str) -> SceneError:
    return SceneError(
        f"{item.name!r} is linked from another file and Blender can't override it ({reason}); make a library "
        "override of it first (Object > Library Override > Make)"
    )


def _empties(scene: bpy.types.Scene) -> Iterator[bpy.types.Object]:
    for item in scene.objects:
        shown = item.instance_collection if item.instance_type == "COLLECTION" else None
        if shown is not None and shown.library is not None:
            yield item


def _empty_of(item: bpy.types.Object, scene: bpy.types.Scene) -> bpy.types.Object | None:
    """The empty that shows a linked object, unless the object itself is in the scene."""
    if item in set(scene.objects):
        return None
    return next(
        (e for e in _empties(scene) if item in set(e.instance_collection.all_objects)), None
    )


def _collection_of(item: bpy.types.Object, scene: bpy.types.Scene) -> bpy.types.Collection | None:
    """The topmost linked collection of the scene that holds an object."""
    waiting = list(scene.collection.children)
    while waiting:
        collection = waiting.pop(0)
        if collection.library is None:
            waiting += collection.children
        elif item in set(collection.all_objects):
            return collection
    return None
