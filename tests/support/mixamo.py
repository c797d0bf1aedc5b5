"""Mixamo's name, without its prefix, of the bone that follows each of our joints."""

MIXAMO = {
    "pelvis": "Hips", "spine1": "Spine", "spine2": "Spine1", "spine3": "Spine2", "neck": "Neck",
    "head": "Head",
    **{
        f"{side.lower()}_{joint}": f"{side}{bone}"
        for side in ("Left", "Right")
        for joint, bone in (
            ("collar", "Shoulder"), ("shoulder", "Arm"), ("elbow", "ForeArm"), ("wrist", "Hand"),
            ("hip", "UpLeg"), ("knee", "Leg"), ("ankle", "Foot"), ("foot", "ToeBase"),
        )
    },
}  # fmt: skip
