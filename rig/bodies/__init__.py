"""Bodies of people of all ages and builds on one mesh and one rig, as data: skin, bones, parts, landmarks."""

from .body import REGIONS, Body
from .landmarks import KEYPOINTS, MARKERS, Landmark, landmark_places
from .library import body_names, load_body
from .posing import BodyPose, pose_body

__all__ = [
    "KEYPOINTS",
    "MARKERS",
    "REGIONS",
    "Body",
    "BodyPose",
    "Landmark",
    "body_names",
    "landmark_places",
    "load_body",
    "pose_body",
]
