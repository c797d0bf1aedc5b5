"""The paper's lower body: a root of six degrees of freedom; hip three, knee one, ankle two per leg."""

from pallas.rig.model import BodyMarker, Frame, Joint, KinematicModel, about, free, hinge

PLACES = {  # of the right side's markers: body and metres; x is forward, y up, z to the right
    "ASIS": ("pelvis", 0.01, 0.03, 0.13),
    "PSIS": ("pelvis", -0.15, 0.04, 0.05),
    "Knee": ("thigh", 0.00, -0.40, 0.05),
    "Ankle": ("shank", 0.00, -0.40, 0.05),
    "Heel": ("foot", -0.02, 0.02, 0.00),
    "MT5": ("foot", 0.16, 0.02, 0.05),
    "Toe": ("foot", 0.23, 0.02, 0.00),
}
joints, markers = [free("root", "pelvis")], []
for side, out in (("r", 1.0), ("l", -1.0)):
    thigh, shank, foot = (f"{part}_{side}" for part in ("thigh", "shank", "foot"))
    hip = (
        about("z", f"hip_flexion_{side}"),
        about((out, 0, 0), f"hip_adduction_{side}"),
        about((0, out, 0), f"hip_rotation_{side}"),
    )
    ankle = (about("z", f"ankle_flexion_{side}"), about((out, 0, 0), f"ankle_varus_{side}"))
    at_hip, at_knee, at_ankle = (-0.07, -0.07, 0.08 * out), (0, -0.40, 0), (0, -0.40, 0)
    over_heel = Frame((0.05, 0.04, 0))
    joints += [
        Joint(f"hip_{side}", "pelvis", thigh, Frame(at_hip), rotations=hip),
        hinge(f"knee_flexion_{side}", thigh, shank, Frame(at_knee), "-z"),
        Joint(f"ankle_{side}", shank, foot, Frame(at_ankle), over_heel, rotations=ankle),
    ]
    for name, (body, x, y, z) in PLACES.items():
        pelvis = body == "pelvis"  # whose markers may move along x and z
        on = body if pelvis else f"{body}_{side}"
        where, may_move = (x, y, z * out), (pelvis, False, pelvis)
        markers.append(BodyMarker(f"{side.upper()}.{name}", on, where, may_move))
UPRIGHT = ((1, 0, 0), (0, 0, -1), (0, 1, 0))  # y is up in the model, z in the world
LOWER_BODY = KinematicModel(
    "lower body", tuple(joints), markers=tuple(markers), world_from_ground=UPRIGHT
)
