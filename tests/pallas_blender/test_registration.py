"""Blender gets everything and gets it back; torch stays out."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.blender
bpy = pytest.importorskip("bpy")

import pallas  # noqa: E402  after the skip where there is no bpy
from pallas.pallas_blender.registration import CLASSES  # noqa: E402


def ours():
    return {name for name in dir(bpy.types) if name.startswith("PALLAS_")}


def test_registering_loads_no_torch():
    code = (
        "import sys, bpy, pallas; pallas.register(); found = 'torch' in sys.modules; "
        "pallas.unregister(); sys.exit(found)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, timeout=120)
    assert done.returncode == 0


def test_nothing_is_left_after_unregistering_twice():
    for _ in range(2):
        pallas.register()
        assert ours()
        assert hasattr(bpy.types.Scene, "pallas")
        pallas.unregister()
        assert ours() == set()
        assert not hasattr(bpy.types.Scene, "pallas")
        assert not [name for name in dir(bpy.ops.pallas) if not name.startswith("_")]


def test_panels_come_in_the_order_of_work():
    labels = [cls.bl_label for cls in CLASSES if issubclass(cls, bpy.types.Panel)]
    live = ["Live", "Trackers", "Performers", "Take"]
    video = ["Video", "Cameras and Keypoints", "Solve Video"]
    legs = ["Legs", "On the Character"]
    retarget = ["Retarget", "Onto Any Rig", "Bones"]
    first = ["Capture", *live, *video, "Solve", *legs, *retarget]
    assert labels == [*first, "Markers", "Render", "Dataset"]


def test_every_operator_has_a_tooltip():
    operators = [cls for cls in CLASSES if issubclass(cls, bpy.types.Operator)]
    assert operators
    for operator in operators:
        assert operator.__doc__
        assert not operator.__doc__.endswith(".")  # Blender adds it
