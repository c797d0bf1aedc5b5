import numpy as np
import pytest

pytestmark = pytest.mark.blender
bpy = pytest.importorskip("bpy")

from pallas.render.shading import new_material  # noqa: E402
from pallas.render.surroundings.exposure import expose  # noqa: E402
from pallas.render.surroundings.made import add_lamp, new_world  # noqa: E402


def lit(scene, albedo, energy, strength=0.0):
    """The factor, the sun's energy then, and the background's strength then."""
    _, background = new_world(scene, "Even")
    background.inputs["Color"].default_value = (1.0, 1.0, 1.0, 1.0)
    background.inputs["Strength"].default_value = strength
    sun = add_lamp(scene, "SUN", (0.0, 0.0, 5.0), (0.0, 0.0, 0.0), energy, 0.1)
    factor = expose([sun], new_material("Floor", (albedo,) * 3)[0], background, (2.0, 2.0))
    return factor, sun.data.energy, background.inputs["Strength"].default_value


def test_a_floor_whiter_than_paper_turns_all_lights_down_alike(scene):
    # A sun of pi and an even light of 1 on a floor that throws all back: 2, and 0.85 is wanted.
    factor, energy, strength = lit(scene, 1.0, np.pi, 1.0)
    assert factor == pytest.approx(0.425) and strength == pytest.approx(0.425)
    assert energy == pytest.approx(0.425 * np.pi)


def test_a_floor_that_is_dark_enough_leaves_the_lights_as_they_were_drawn(scene):
    assert lit(scene, 0.2, np.pi, 1.0) == pytest.approx((1.0, np.pi, 1.0))


def test_a_lamp_over_the_floor_counts_with_the_square_of_its_height(scene):
    _, background = new_world(scene, "Even")
    background.inputs["Strength"].default_value = 0.0
    floor = new_material("Floor", (1.0, 1.0, 1.0))[0]
    factors = []
    for height in (2.0, 4.0):
        lamp = add_lamp(scene, "AREA", (0.0, 0.0, height), (0.0, 0.0, 0.0), 1e3, 0.01)
        factors.append(expose([lamp], floor, background, (0.0, 0.0)))
    assert factors[1] == pytest.approx(4.0 * factors[0], rel=1e-3)
    assert factors[0] == pytest.approx(0.85 / (1e3 / (4.0 * np.pi * 2.0**2)), rel=1e-3)
