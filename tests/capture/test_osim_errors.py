"""OpenSim models that can't be read: one line each, which says where and what was expected."""

import pytest
from osim_documents import (
    LINE,
    SPLINE,
    UNIVERSAL,
    coordinate,
    coupler,
    document,
    joint,
    marker,
    spatial,
)

from pallas.capture.osim import parse_osim, read_osim
from pallas.rig import FileError, FormatError, PallasError

PIN = joint("PinJoint", coordinates=["q"])
CUSTOM = joint("CustomJoint", spatial(rotation1=("0 0 1", "q", "FUNCTION")), ["q"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (document(joint("EllipsoidJoint")), "joint 'j': a EllipsoidJoint can't be read; these"),
        (
            document(joint("PinJoint", coordinates=["q", "r"])),
            "2 coordinates, but a PinJoint has 1",
        ),
        (document(joint("BallJoint", coordinates=["q"])), "1 coordinates, but a BallJoint has 3"),
        (document(joint("CustomJoint")), "no <SpatialTransform>"),
        (document(CUSTOM.replace("FUNCTION", "<function><GCVSpline/></function>")), "<GCVSpline>"),
        (
            document(CUSTOM.replace("FUNCTION", LINE.replace("1 0", "1 2 0"))),
            "3 coefficients and so depends on several",
        ),
        (
            document(CUSTOM.replace("FUNCTION", LINE).replace(">q</coord", ">q r</coord")),
            "axis rotation1 is a function of 2 coordinates",
        ),
        (
            document(CUSTOM.replace("FUNCTION", LINE).replace(">q</coord", "></coord")),
            "no coordinate",
        ),
        (
            document(CUSTOM.replace("FUNCTION", LINE).replace("0 0 1</axis>", "0 0 0</axis>", 1)),
            "length above zero",
        ),
        (
            document(
                CUSTOM.replace(
                    "FUNCTION",
                    "<function><SimmSpline><x>0 0</x><y>1 2</y></SimmSpline></function>",
                )
            ),
            "joint 'j': a SimmSpline has 2 knots",
        ),
        *(
            (
                document(
                    CUSTOM.replace(
                        "FUNCTION", f"<function><SimmSpline>{knots}</SimmSpline></function>"
                    )
                ),
                "a SimmSpline has knots too close",
            )
            for knots in (
                "<x>0 1e-300 1 2</x><y>1 2 3 4</y>",
                "<x>0 1e-320 2e-320 3e-320</x><y>1 2 3 4</y>",
            )
        ),
        (
            document(CUSTOM.replace("FUNCTION", LINE.replace("1 0", "nan 0"))),
            "found 'nan', expected a number",
        ),
        (document(PIN, bodies=("a", "b")), "no joints connect 1 of the bodies to the ground (b)"),
        (document(PIN, bodies=("a", "a")), "body 'a' is there twice"),
        (
            document(PIN, joint("WeldJoint", name="w", parent="/bodyset/a", child="/ground")),
            "a loop of joints can't be read",
        ),
        (
            document(
                PIN,
                joint("WeldJoint", name="w", parent="/bodyset/b", child="/bodyset/c"),
                joint("WeldJoint", name="v", parent="/bodyset/c", child="/bodyset/b"),
                bodies=("a", "b", "c"),
            ),
            "no joints connect 2 of the bodies",
        ),
        (
            document(PIN.replace("/bodyset/a", "/bodyset/z")),
            "joint 'j': it is connected to '/bodyset/z', which is no body",
        ),
        (
            document(PIN.replace("<socket_parent>/ground", "<socket_parent>../p")),
            "hangs on itself",
        ),
        (
            document(PIN.replace("<socket_parent_frame>p", "<socket_parent_frame>")),
            "connected to no frame",
        ),
        (
            document(PIN.replace("0.1 0.2 0.3", "0.1 inf 0.3")),
            "joint 'j': <translation>: found 'inf'",
        ),
        (document(PIN.replace("0.1 0.2 0.3", "0.1 0.2")), "expected 3 numbers"),
        (
            document(joint("PinJoint", coordinates=[coordinate("q", 0, "<range>1 -1</range>")])),
            "coordinate 'q' has limits from 1 to -1",
        ),
        (
            document(joint("PinJoint", coordinates=[coordinate("q", 0, "<locked>x</locked>")])),
            "coordinate 'q': <locked> is 'x', expected true or false",
        ),
        (document(joint("PinJoint", coordinates=[coordinate("q", "nan")])), "found 'nan'"),
        (document(PIN, markers=marker() + marker()), "two markers are called 'm'"),
        (document(PIN, markers=marker(location="1 2")), "marker 'm': <location> holds '1 2'"),
        (
            document(PIN, constraints='<WeldConstraint name="w"/>'),
            "constraint 'w': a WeldConstraint is enforced, which closes a loop",
        ),
        (document(UNIVERSAL, constraints=coupler("r", "q s")), "couples 'r' to 2 coordinates"),
        (document(UNIVERSAL, constraints=coupler("r", "z")), "no coordinate 'z'"),
        (
            document(UNIVERSAL, constraints=coupler("r", "q") + coupler("q", "r")),
            "drives itself through couplers",
        ),
        (
            document(
                joint("GimbalJoint", coordinates=["q", "r", "s"]),
                constraints=coupler("s", "r", SPLINE) + coupler("r", "q"),
            ),
            "driven by 'r', which is itself driven",
        ),
        (document(PIN, more="<length_units>millimeters</length_units>"), "lengths are in 'millim"),
        (document(), "no joints connect 1 of the bodies"),
        (document(bodies=()), "no joint; expected at least one body"),
        (
            document(
                PIN,
                joint("FreeJoint", "", list("tuvxyz"), "f", "/bodyset/b", "/bodyset/a"),
                bodies=("a", "b"),
            ),
            "joint 'f': its parent 'b' is farther from the ground than its child 'a'",
        ),
        ("<OpenSimDocument><MarkerSet/></OpenSimDocument>", "holds <MarkerSet>, expected <Model>"),
        (document(PIN)[:-40], "cut or damaged"),
        ('<!DOCTYPE a [<!ENTITY b "c">]>' + document(PIN), "entities"),
        ("<a>" * 200 + "</a>" * 200, "nested more than 100 deep"),
        ("text", "no well-formed XML"),
    ],
)
def test_what_can_not_be_read_is_told_in_one_line(text, message):
    with pytest.raises(PallasError) as told:
        parse_osim(text)
    assert message in str(told.value)
    assert "\n" not in str(told.value)


def test_errors_name_the_file(tmp_path):
    path = tmp_path / "model.osim"
    path.write_text(document(joint("EllipsoidJoint")))
    with pytest.raises(FormatError, match="model.osim: joint 'j'"):
        read_osim(path)
    with pytest.raises(FileError, match="does not exist"):
        read_osim(tmp_path / "none.osim")
