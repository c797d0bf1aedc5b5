"""Characters of other .blend files, linked into the scene as productions do it."""

import bpy


def shown_by_empty(scene, character, path):
    """A character moved into a file and shown from there, 2 m to the left, by an empty; its armature."""
    collection = bpy.data.collections.new("Cast")
    scene.collection.children.link(collection)
    for item in (character, *character.children):
        collection.objects.link(item)
    bpy.data.libraries.write(str(path), {collection}, fake_user=True)
    for item in list(bpy.data.objects):
        bpy.data.objects.remove(item)
    bpy.data.collections.remove(collection)
    with bpy.data.libraries.load(str(path), link=True) as (_, wanted):
        wanted.collections = ["Cast"]
    empty = bpy.data.objects.new("Shown", None)
    empty.instance_type, empty.instance_collection = "COLLECTION", wanted.collections[0]
    empty.location[0] = 2.0
    scene.collection.objects.link(empty)
    bpy.context.view_layer.objects.active = empty
    bpy.context.view_layer.update()
    return next(item for item in bpy.data.objects if item.type == "ARMATURE")
