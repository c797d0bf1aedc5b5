"""Which sizes and marker places are worth fitting."""

from pallas.rig.model import BodyMarker, KinematicModel, free, hinge
from pallas.rig.solve.usual_shape import usual_shape

LEGS = KinematicModel(
    "legs",
    (
        free("root", "pelvis"),
        *(
            joint
            for side in "rl"
            for joint in (
                hinge(f"hip_{side}", "pelvis", f"thigh_{side}"),
                hinge(f"knee_{side}", f"thigh_{side}", f"shank_{side}"),
            )
        ),
    ),
    markers=(
        *(BodyMarker(f"P{place}", "pelvis", (0, 0, 0)) for place in range(3)),
        *(BodyMarker(f"T{s}{place}", f"thigh_{s}", (0, 0, 0)) for s in "rl" for place in range(2)),
        BodyMarker("Sr", "shank_r", (0, 0, 0)),
        BodyMarker("floor", "ground", (0, 0, 0)),
    ),
)


def test_nothing_is_unknown_unless_told():
    assert usual_shape(LEGS, LEGS.marker_names) is None


def test_bodies_with_markers_have_a_size_of_their_own_left_and_right_the_same():
    shape = usual_shape(LEGS, LEGS.marker_names, scale=True)
    assert shape.full
    assert shape.groups == (("pelvis",), ("thigh_r", "thigh_l"))
    assert shape.markers == ()


def test_markers_that_were_not_measured_tell_no_size_and_do_not_move():
    seen = [name for name in LEGS.marker_names if name != "Tl1"]
    shape = usual_shape(LEGS, seen, scale=True, markers=True)
    assert shape.groups == (("pelvis",),)
    assert "Tl1" not in shape.markers
    assert "floor" not in shape.markers
    assert "Sr" in shape.markers


def test_the_whole_body_alone_may_have_a_size():
    assert usual_shape(LEGS, LEGS.marker_names, scale=True, bodies=False).groups == ()
