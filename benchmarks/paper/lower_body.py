"""The paper's lower body: a root of six degrees of freedom; hip three, knee one, ankle two per leg."""

from pallas.rig.model import BodyMarker, Frame, Joint, KinematicModel, about, free, hinge

PLACES = {  # markers of the right side: body, and metres forward, up, and to the right
    "ASIS": ("pelvis", 0.013, 0.030, 0.128),
    "PSIS": ("pelvis", -0.154, 0.038, 0.055),
    "Knee": ("thigh", 0.000, -0.404, 0.047),
    "Ankle": ("shank", -0.005, -0.379, 0.053),
    "Heel": ("foot", -0.020, 0.020, -0.010),
    "MT5": ("foot", 0.160, 0.020, 0.050),
    "Toe": ("foot", 0.230, 0.037, -0.016),
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
    at_hip, at_knee = Frame((-0.056, -0.078, 0.077 * out)), Frame((-0.008, -0.408, -0.003 * out))
    at_ankle, over_heel = Frame((-0.010, -0.400, 0)), Frame((0.049, 0.042, -0.008 * out))
    joints += [
        Joint(f"hip_{side}", "pelvis", thigh, at_hip, rotations=hip),
        hinge(f"knee_flexion_{side}", thigh, shank, at_knee, "-z"),
        Joint(f"ankle_{side}", shank, foot, at_ankle, over_heel, rotations=ankle),
    ]
    for name, (body, x, y, z) in PLACES.items():
        pelvis = body == "pelvis"  # whose markers may move along x and z
        on = body if pelvis else f"{body}_{side}"
        where, may_move = (x, y, z * out), (pelvis, False, pelvis)
        markers.append(BodyMarker(f"{side.upper()}.{name}", on, where, may_move))
UPRIGHT = ((1, 0, 0), (0, 0, -1), (0, 1, 0))  # y is up in the model, z in the world
LOWER_BODY = KinematicModel(
    "lower_body", tuple(joints), markers=tuple(markers), world_from_ground=UPRIGHT
)
