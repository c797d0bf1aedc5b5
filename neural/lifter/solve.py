"""One camera to a body in the world: lifted, then placed and made rigid by the engine."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from ...capture.cameras.camera import Camera
from ...capture.keypoints.keypoints import Keypoints
from ...rig.arrays import Array
from ...rig.solve.views import BodyOptions, SolvedBody, SpacePoints, View, solve_views
from ...rig.trajectories import MarkerTrajectories
from .lift import NAMES, LiftedBody, lift_keypoints
from .network import Lifter

__all__ = ["OPENCAP", "SolvedLift", "camera_of_focal", "solve_lift"]

# OpenCap's 20 keypoints, and what they are called here where that differs.
OPENCAP: Final = (
    "Neck", "RShoulder", "LShoulder", "RHip", "LHip", "midHip", "RKnee", "LKnee", "RAnkle", "LAnkle",
    "RHeel", "LHeel", "RSmallToe", "LSmallToe", "RBigToe", "LBigToe", "RElbow", "LElbow", "RWrist", "LWrist",
)  # fmt: skip
_NAMED: Final = {"midHip": "Hip"}
_SPREAD: Final = 0.05  # metres, of a lifted point that counts fully
_STANDS: Final = 0.5


@dataclass(frozen=True, eq=False)
class SolvedLift:
    """A person that one camera saw.

    Attributes:
        body: as the engine has it, in the world.
        lifted: as the network has it.
        camera: that saw it, in the world.
    """

    body: SolvedBody
    lifted: LiftedBody
    camera: Camera

    @property
    def markers(self) -> MarkerTrajectories:
        """OpenCap's 20 keypoints in the world."""
        names = self.body.names
        columns = [names.index(_NAMED.get(name, name)) for name in OPENCAP]
        return MarkerTrajectories(OPENCAP, self.body.points[:, columns], self.body.motion.fps)


def camera_of_focal(
    focal: float, size: tuple[int, int], centre: tuple[float, float] | None = None
) -> Camera:
    """A camera of which only the focal length is known; it looks along y, level, at the origin.

    Args:
        focal: pixels.
        size: width and height of the picture, pixels.
        centre: of the lens, pixels; the picture's where not known.
    """
    x, y = centre or ((size[0] - 1) / 2, (size[1] - 1) / 2)
    matrix = np.array([[focal, 0.0, x], [0.0, focal, y], [0.0, 0.0, 1.0]])
    level = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
    return Camera("camera", matrix, level, np.zeros(3), size=size)


def _untold(done: float) -> None:
    del done


def solve_lift(
    keypoints: Keypoints,
    camera: Camera,
    network: Lifter,
    *,
    height: float,
    calibrated: bool = True,
    floor: float | None = None,
    progress: Callable[[float], None] = _untold,
) -> SolvedLift:
    """Lift one person, and fit the body to what was lifted, to the picture, to standing feet and the height.

    Args:
        keypoints: of one person in pictures.
        camera: that took them.
        network: trained.
        height: metres, of the person.
        calibrated: whether the camera's place in the world is known. If not, up is found from the body, the
            camera stands above the world's origin, and the floor is at zero.
        floor: metres, of a calibrated world; None where not known.
        progress: told the part done, 0 to 1.

    Raises:
        RecordingError: too little was seen.
    """
    up = camera.camera_from_world[:, 2] if calibrated else None
    lifted = lift_keypoints(keypoints, camera, network, height=height, up=up)
    progress(0.2)
    if not calibrated:
        camera = _stood(camera, lifted.up)
    options = BodyOptions(height=height, floor=floor if calibrated else None)
    body = _solved(keypoints, camera, lifted, options, lambda done: progress(0.2 + 0.8 * done))
    if not calibrated:
        body, camera = _on_the_floor(body, camera, lifted)
    return SolvedLift(body, lifted, camera)


def _solved(
    keypoints: Keypoints,
    camera: Camera,
    lifted: LiftedBody,
    options: BodyOptions,
    progress: Callable[[float], None],
) -> SolvedBody:
    names = keypoints.layout.names
    pixels = np.full((*lifted.points.shape[:2], 2), np.nan)
    sure = np.zeros(lifted.points.shape[:2])
    straight = camera.undistorted(keypoints.positions[:, 0])
    for column, name in enumerate(NAMES):
        if name in names:
            pixels[:, column] = straight[:, names.index(name)]
            sure[:, column] = keypoints.confidence[:, 0, names.index(name)].clip(0.0, 1.0)
    believed = np.clip(_SPREAD / lifted.spread, 0.05, 1.0) * lifted.seen[:, None]
    points = np.where(believed[..., None] > 0.0, lifted.points @ camera.camera_from_world, np.nan)
    return solve_views(
        NAMES,
        float(keypoints.fps or 0.0),
        views=[View(pixels, camera.projection, sure)],
        points=SpacePoints(points, believed, placed=False),
        standing=np.where(lifted.standing > _STANDS, lifted.standing, 0.0),
        options=options,
        progress=progress,
    )


def _stood(camera: Camera, up: Array) -> Camera:
    """The camera at the origin, turned so that up is z and it looks along y."""
    ahead = np.array([0.0, 0.0, 1.0]) - up[2] * up
    if np.linalg.norm(ahead) < 1e-3:  # it looks straight down or up
        ahead = np.array([0.0, -1.0, 0.0]) - up[1] * -up
    y = ahead / np.linalg.norm(ahead)
    return replace(
        camera,
        camera_from_world=np.stack([np.cross(y, up), y, up], axis=-1),
        translation=np.zeros(3),
    )


def _on_the_floor(
    body: SolvedBody, camera: Camera, lifted: LiftedBody
) -> tuple[SolvedBody, Camera]:
    """Both higher, so that standing feet are on z = 0."""
    feet = [body.names.index(name) for name in ("LHeel", "LBigToe", "RHeel", "RBigToe")]
    low = body.points[:, feet, 2].reshape(-1, 2, 2).min(axis=-1)  # of either foot
    stands = lifted.standing > _STANDS
    chosen = low[stands] if stands.any() else low.min(axis=-1)
    rise = np.array([0.0, 0.0, -float(np.median(chosen))])
    motion = replace(body.motion, root_position=body.motion.root_position + rise)
    moved = replace(body, motion=motion, points=body.points + rise, tracks=body.tracks + rise)
    place = camera.translation - camera.camera_from_world @ rise
    return moved, replace(camera, translation=place)
