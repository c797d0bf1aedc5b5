"""Linked characters are overridden where they stand; the file that they are linked from stays as it is."""

import hashlib

import numpy as np
import pytest

pytestmark = pytest.mark.blender
bpy = pytest.importorskip("bpy")
from mathutils import Matrix  # noqa: E402  after the skip where there is no bpy

from pallas.rig import Motion, SceneError, body_skeleton, quaternion  # noqa: E402
from pallas.rig.retarget import SourceMotion, match_bones  # noqa: E402
from pallas.scene.character import add_character  # noqa: E402
from pallas.scene.linked import armatures_of, overridden, shown_armature  # noqa: E402
from pallas.scene.retarget_target import read_target  # noqa: E402
from pallas.scene.retargeting import retarget  # noqa: E402

PLACE = Matrix.Translation((3.0, 1.0, 0.5)) @ Matrix.Rotation(0.7, 4, "Z") @ Matrix.Scale(2.0, 4)
HAND = "mixamorig:LeftHand"


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """A file with the character in a collection."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    collection = bpy.data.collections.new("Cast")
    bpy.context.scene.collection.children.link(collection)
    add_character("Hero", collection)
    path = tmp_path_factory.mktemp("library") / "cast.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    return path


def linked(library, how):
    """The character linked as objects, as a collection in a local one, or shown by an empty."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    with bpy.data.libraries.load(str(library), link=True) as (there, wanted):
        if how == "objects":
            wanted.objects = there.objects
        else:
            wanted.collections = ["Cast"]
    if how == "objects":
        for item in wanted.objects:
            scene.collection.objects.link(item)
    elif how == "collection":
        local = bpy.data.collections.new("Stage")
        scene.collection.children.link(local)
        local.children.link(wanted.collections[0])
    else:
        empty = bpy.data.objects.new("Shown", None)
        empty.instance_type, empty.instance_collection = "COLLECTION", wanted.collections[0]
        empty.matrix_world = PLACE
        scene.collection.objects.link(empty)
    bpy.context.view_layer.update()
    (hero,) = armatures_of(scene)
    assert hero.library is not None
    return hero


def any_source():
    random = np.random.default_rng(3)
    turns = quaternion.from_rotation_vector(random.normal(scale=0.2, size=(5, 24, 3)))
    root = np.array([0.0, 0.0, 0.9]) + np.linspace(0, 1, 5)[:, None] * np.array([0.3, -1.0, 0.0])
    return SourceMotion.of_motion(Motion(body_skeleton(), root, turns, 24.0), "walk")


def hand_at(armature, frame):
    bpy.context.scene.frame_set(frame)
    posed = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return np.array(posed.matrix_world @ posed.pose.bones[HAND].head)


def own_body(armature):
    """The skin, which has to follow the armature that is keyed."""
    (body,) = armature.children
    assert body.modifiers["Armature"].object == armature
    return body


@pytest.mark.parametrize("how", ["objects", "collection", "shown"])
def test_a_linked_character_is_overridden_and_plays_the_motion(library, how, tmp_path):
    before = hashlib.sha256(library.read_bytes()).hexdigest()
    read = read_target(linked(library, how), linked=True)
    hero = overridden(armatures_of(bpy.context.scene)[0], bpy.context)
    assert hero.library is None
    assert not hero.override_library.is_system_override
    own_body(hero)
    assert {item.library for item in bpy.context.scene.objects} == {None}
    assert overridden(hero, bpy.context) == hero
    target = read_target(hero)
    np.testing.assert_allclose(read.bones.heads, target.bones.heads, atol=1e-5)
    source = any_source()
    retarget(source, match_bones(source.bones), hero, match_bones(target.bones))
    places = [hand_at(hero, frame) for frame in (1, 4)]
    assert np.linalg.norm(places[1] - places[0]) > 0.3
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "shot.blend"))
    again = bpy.context.scene.objects["Hero"]
    assert again.animation_data.action.name == "walk Hero"
    own_body(again)
    for frame, place in zip((1, 4), places, strict=True):
        np.testing.assert_allclose(hand_at(again, frame), place, atol=1e-5)
    assert hashlib.sha256(library.read_bytes()).hexdigest() == before


def test_a_character_that_an_empty_shows_stays_where_it_was_shown(library):
    linked(library, "shown")
    hero = overridden(shown_armature(bpy.context.scene.objects["Shown"]), bpy.context)
    np.testing.assert_allclose(np.array(hero.matrix_world), np.array(PLACE), atol=1e-5)
    assert "Shown" not in bpy.context.scene.objects


def test_one_that_is_shown_unevenly_scaled_is_refused(library):
    hero = linked(library, "shown")
    bpy.context.scene.objects["Shown"].scale[1] = 3.0
    bpy.context.view_layer.update()
    with pytest.raises(SceneError, match="unevenly scaled"):
        read_target(hero, linked=True)


def test_what_blender_can_not_override_is_told_with_what_to_do(library):
    hero = linked(library, "objects")
    bpy.context.scene.collection.objects.unlink(hero)
    with pytest.raises(SceneError, match=r"can't override it \(.*Library Override > Make"):
        overridden(hero, bpy.context)


def test_what_shows_no_armature_is_none(scene):
    assert shown_armature(None) is None
    lone = bpy.data.objects.new("Lone", None)
    scene.collection.objects.link(lone)
    assert shown_armature(lone) is None
