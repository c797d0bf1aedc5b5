"""OpenSim models of version 4 as text, put together from the pieces a test is about."""

MASS = "<mass>1</mass><mass_center>0 0 0</mass_center><inertia>1 1 1 0 0 0</inertia>"
LINE = '<LinearFunction name="function"><coefficients>1 0</coefficients></LinearFunction>'
ZERO = '<Constant name="function"><value>0</value></Constant>'
SPLINE = "<SimmSpline><x>-1 -0.2 0.3 0.9 1.5</x><y>0.1 0.3 -0.1 0.2 0.5</y></SimmSpline>"


def axis(name, direction, coordinate="", function=ZERO):
    return (
        f'<TransformAxis name="{name}"><coordinates>{coordinate}</coordinates>'
        f"<axis>{direction}</axis>{function}</TransformAxis>"
    )


def spatial(**axes):
    """A SpatialTransform; each axis as (direction, coordinate, function), the others still."""
    still = dict(zip(AXES, ("1 0 0", "0 1 0", "0 0 1") * 2, strict=True))
    return "".join(
        axis(name, *axes[name]) if name in axes else axis(name, still[name]) for name in AXES
    ).join(("<SpatialTransform>", "</SpatialTransform>"))


AXES = ("rotation1", "rotation2", "rotation3", "translation1", "translation2", "translation3")


def coordinate(name, default=0.1, more=""):
    return f'<Coordinate name="{name}"><default_value>{default}</default_value>{more}</Coordinate>'


def joint(kind, inside="", coordinates=(), name="j", parent="/ground", child="/bodyset/a"):
    """A joint with an offset frame on either side."""
    listed = "".join(c if c.startswith("<") else coordinate(c) for c in coordinates)
    return (
        f'<{kind} name="{name}"><socket_parent_frame>p</socket_parent_frame>'
        f"<socket_child_frame>c</socket_child_frame><coordinates>{listed}</coordinates><frames>"
        f'<PhysicalOffsetFrame name="p"><socket_parent>{parent}</socket_parent>'
        "<translation>0.1 0.2 0.3</translation><orientation>0.4 -0.5 0.6</orientation>"
        f'</PhysicalOffsetFrame><PhysicalOffsetFrame name="c"><socket_parent>{child}</socket_parent>'
        "<translation>-0.2 0.1 0.05</translation><orientation>-0.3 0.2 1.1</orientation>"
        f"</PhysicalOffsetFrame></frames>{inside}</{kind}>"
    )


def marker(name="m", frame="/bodyset/a", fixed="false", location="0.1 0.2 0.3"):
    return (
        f'<Marker name="{name}"><socket_parent_frame>{frame}</socket_parent_frame>'
        f"<location>{location}</location><fixed>{fixed}</fixed></Marker>"
    )


def document(*joints, bodies=("a",), markers="", constraints="", more=""):
    held = "".join(b if b.startswith("<") else f'<Body name="{b}">{MASS}</Body>' for b in bodies)
    return (
        '<?xml version="1.0" encoding="UTF-8" ?><OpenSimDocument Version="40000"><Model name="t">'
        f'<Ground name="ground"/><BodySet name="bodyset"><objects>{held}</objects></BodySet>'
        f'<JointSet name="jointset"><objects>{"".join(joints)}</objects></JointSet>'
        f'<ConstraintSet name="constraintset"><objects>{constraints}</objects></ConstraintSet>'
        f'<MarkerSet name="markerset"><objects>{markers}</objects></MarkerSet>{more}'
        "</Model></OpenSimDocument>"
    )


def coupler(driven, driver, function=LINE, more=""):
    function = function.replace(' name="function"', "")
    return (
        f'<CoordinateCouplerConstraint name="{driven}_con">{more}'
        f"<coupled_coordinates_function>{function}</coupled_coordinates_function>"
        f"<independent_coordinate_names>{driver}</independent_coordinate_names>"
        f"<dependent_coordinate_name>{driven}</dependent_coordinate_name>"
        "<scale_factor>2</scale_factor></CoordinateCouplerConstraint>"
    )


UNIVERSAL = joint("UniversalJoint", coordinates=["q", "r"])
