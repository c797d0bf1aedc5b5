"""Motions of body models from other programs' files: AMASS, GVHMR, WHAM and TRAM.

    AMASS    npz: poses (T, 72|156|165), or root_orient, pose_body …; trans (T, 3), mocap_framerate; z up
    GVHMR    hmr4d_results.pt of torch: smpl_params_global with global_orient, body_pose, transl; y up, 30 fps
    WHAM     wham_output.pkl of joblib: by person pose_world (T, 72), trans_world, frame_ids; y up
    TRAM     hps_track_N.npy: pred_rotmat (T, 24, 3, 3), pred_trans, frame, in the camera of camera.npy

Rotations are rotation vectors in radians. What is pickled is read by `safe_pickle`, which runs nothing.
AMASS often says a wrong rate and the video programs say none: `fps` overrides.
"""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ..rig import quaternion
from ..rig.arrays import Array, checked
from ..rig.errors import FormatError, ShapeError
from .npz import parse_npz
from .safe_pickle import parse_object_npy, read_pickled
from .smpl_poses import CameraPath, SmplPoses
from .textfile import LARGEST, FormatWarning, naming, read_bytes

__all__ = ["AMASS_NAMES", "parse_amass", "poses_of_results", "read_amass", "read_results"]

# Either of these tells that an npz is AMASS'.
AMASS_NAMES: Final = frozenset({"poses", "root_orient"})
_RATES: Final = ("mocap_framerate", "mocap_frame_rate", "framerate", "frame_rate", "fps")
_PARTS: Final = ("root_orient", "pose_body", "pose_jaw", "pose_eye", "pose_hand")
_TRANSLATIONS: Final = ("trans", "transl")
_VIDEO_RATE = 30.0  # GVHMR brings every video to it
_WIDTHS: Final = {66: 22, 72: 24, 156: 52, 165: 55}


def read_amass(path: Path | str, *, fps: float | None = None) -> SmplPoses:
    """Read an npz of AMASS, or of a program that writes the same names.

    Args:
        path: the file.
        fps: frames per second instead of what the file says.

    Raises:
        FileError: the file can't be read.
        FormatError: it lacks poses, a translation or a rate, or is damaged.
    """
    content = read_bytes(path)
    with naming(path):
        return parse_amass(content, fps=fps)


def parse_amass(content: bytes, *, fps: float | None = None) -> SmplPoses:
    """Parse the bytes of an AMASS npz. See `read_amass`."""
    arrays = parse_npz(content, {"poses", "betas", *_PARTS, *_TRANSLATIONS, *_RATES})
    poses = arrays.get("poses")
    if poses is None:
        parts = [_rows(arrays[name]) for name in _PARTS if name in arrays]
        if "root_orient" not in arrays or "pose_body" not in arrays:
            raise FormatError("the npz lacks poses; expected an AMASS file with poses and trans")
        if len({len(part) for part in parts}) > 1:
            raise FormatError("the parts of the poses have different numbers of frames")
        poses = np.concatenate(parts, axis=1)
    translation = next((arrays[n] for n in _TRANSLATIONS if n in arrays), None)
    if translation is None:
        raise FormatError("the npz lacks trans; shape-only AMASS files hold no motion")
    stated = next((arrays[n] for n in _RATES if n in arrays), None)
    if fps is None:
        fps = _one_number(stated, "mocap_framerate")
    betas = _numbers("betas", arrays["betas"]).reshape(-1) if "betas" in arrays else np.zeros(0)
    rotations = _rotations("poses", poses)
    return SmplPoses(
        rotations,
        _shaped("trans", translation, (len(rotations), 3)),
        fps,
        "z up",
        np.arange(len(rotations)),
        floor=True,
        betas=betas,
    )


def read_results(path: Path | str, *, fps: float | None = None) -> tuple[SmplPoses, ...]:
    """Read the people that GVHMR, WHAM or TRAM found in a video.

    TRAM's people are brought from the camera's world to the video's by the `camera.npy` in the folder above,
    where it is there.

    Args:
        path: `hmr4d_results.pt`, `wham_output.pkl` or `hps_track_N.npy`.
        fps: frames per second of the video; 30 if None, with a warning unless the program is GVHMR.

    Raises:
        FileError: the file can't be read.
        FormatError: it is none of these, is damaged, or holds more than arrays; nothing in it is run.
    """
    path = Path(path)
    value = read_pickled(path)
    camera = path.parent.parent / "camera.npy"
    seen = None
    if isinstance(value, dict) and "pred_rotmat" in value and camera.is_file():
        content = read_bytes(camera)
        with naming(camera):
            seen = parse_object_npy(content)
    with naming(path):
        return poses_of_results(value, fps=fps, camera=seen)


def poses_of_results(
    value: object, *, fps: float | None = None, camera: object = None
) -> tuple[SmplPoses, ...]:
    """The people in what GVHMR, WHAM or TRAM saved. See `read_results`."""
    if isinstance(value, dict) and isinstance(value.get("smpl_params_global"), dict):
        return (_of_gvhmr(value["smpl_params_global"], fps),)
    if isinstance(value, dict) and "pred_rotmat" in value:
        return (_of_tram(value, _video_rate(fps), camera),)
    people = _people(value)
    if people:
        rate = _video_rate(fps)
        return tuple(_of_wham(str(name)[:40], found, rate) for name, found in people.items())
    raise FormatError(
        "found no smpl_params_global (GVHMR), pose_world (WHAM) or pred_rotmat (TRAM); expected one of "
        "their results"
    )


def _people(value: object) -> Mapping[Any, Mapping[str, Any]]:
    if not isinstance(value, dict):
        return {}
    if "pose_world" in value:
        return {0: value}
    return {k: v for k, v in value.items() if isinstance(v, dict) and "pose_world" in v}


def _video_rate(fps: float | None) -> float:
    if fps is None:
        message = (
            f"the file doesn't say its video's rate; {_VIDEO_RATE:g} frames per second are taken"
        )
        warnings.warn(message, FormatWarning, stacklevel=4)
    return _VIDEO_RATE if fps is None else fps


def _of_gvhmr(params: Mapping[str, Any], fps: float | None) -> SmplPoses:
    parts = [_rows(_part(params, name)) for name in ("global_orient", "body_pose")]
    if len(parts[0]) != len(parts[1]):
        raise FormatError(f"{len(parts[0])} turns of the root for {len(parts[1])} poses")
    rotations = _rotations("body_pose", np.concatenate(parts, axis=1))
    return SmplPoses(
        rotations,
        _shaped("transl", _part(params, "transl"), (len(rotations), 3)),
        _VIDEO_RATE if fps is None else fps,
        "y up",
        np.arange(len(rotations)),
        betas=_betas(params.get("betas")),
    )


def _of_wham(person: str, found: Mapping[str, Any], fps: float) -> SmplPoses:
    rotations = _rotations("pose_world", _part(found, "pose_world"))
    return SmplPoses(
        rotations,
        _shaped("trans_world", _part(found, "trans_world"), (len(rotations), 3)),
        fps,
        "y up",
        _frame_numbers(found.get("frame_ids"), len(rotations)),
        betas=_betas(found.get("betas")),
        person=person,
    )


def _of_tram(found: Mapping[str, Any], fps: float, camera: object) -> SmplPoses:
    matrices = _numbers("pred_rotmat", found["pred_rotmat"])
    if matrices.ndim != 4 or matrices.shape[1:] != (24, 3, 3):
        raise FormatError(f"pred_rotmat has shape {matrices.shape}, expected (frames, 24, 3, 3)")
    count = len(matrices)
    rotations = quaternion.from_matrix(_checked_matrices("pred_rotmat", matrices))
    path = _shaped("pred_trans", _rows(_part(found, "pred_trans")), (count, 3))
    frames = _frame_numbers(found.get("frame"), count)
    return SmplPoses(
        rotations,
        path,
        fps,
        "camera",
        frames,
        betas=_betas(found.get("pred_shape")),
        camera=None if camera is None else _camera_path(camera, frames),
    )


def _camera_path(camera: object, frames: npt.NDArray[np.int64]) -> CameraPath:
    """The camera in these frames."""
    if not isinstance(camera, dict):
        raise FormatError("camera.npy holds no pred_cam_R and pred_cam_T")
    turns = _numbers("pred_cam_R", _part(camera, "pred_cam_R"))
    places = _numbers("pred_cam_T", _part(camera, "pred_cam_T"))
    if turns.shape != (len(places), 3, 3) or places.shape[1:] != (3,):
        raise FormatError(f"camera.npy has shapes {turns.shape} and {places.shape}")
    if not 0 <= frames.min() <= frames.max() < len(turns):
        raise FormatError(f"camera.npy has {len(turns)} frames, the person is in {frames.max()}")
    rotations = quaternion.from_matrix(_checked_matrices("pred_cam_R", turns))
    return CameraPath(rotations[frames], places[frames])


def _rotations(name: str, values: Any) -> Array:  # noqa: ANN401  # whatever a file holds
    """(T, J, 4) of rotation vectors (T, 3 J)."""
    rows = _rows(values)
    count = _WIDTHS.get(rows.shape[1])
    if count is None:
        raise FormatError(
            f"{name} has {rows.shape[1]} numbers per frame, expected {', '.join(map(str, _WIDTHS))}"
        )
    return quaternion.from_rotation_vector(rows.reshape(len(rows), count, 3))


def _rows(values: Any) -> Array:  # noqa: ANN401
    """(T, N) of an array (T, …)."""
    array = _numbers("a pose", values)
    if array.ndim < 2 or not array.size:
        raise FormatError(f"a pose has shape {array.shape}, expected (frames, numbers)")
    return array.reshape(len(array), -1)


def _numbers(name: str, value: Any) -> Array:  # noqa: ANN401
    if isinstance(value, list | tuple) and all(isinstance(v, int | float) for v in value):
        value = np.array(value, dtype=np.float64)
    array = np.asarray(value) if isinstance(value, int | float) else value
    if not isinstance(array, np.ndarray):
        raise FormatError(f"{name} is a {type(value).__name__}, expected an array of numbers")
    if array.dtype.kind not in "fiu":
        raise FormatError(f"{name} holds {str(array.dtype)[:20]}, expected numbers")
    numbers = array.astype(np.float64)
    if not (np.abs(numbers) < LARGEST).all():
        raise FormatError(f"{name} holds a number of no sensible size")
    return numbers


def _shaped(name: str, value: Any, shape: tuple[int, ...]) -> Array:  # noqa: ANN401
    try:
        return checked(name, _numbers(name, value), shape)
    except ShapeError as error:
        raise FormatError(str(error)) from None


def _checked_matrices(name: str, matrices: Array) -> Array:
    if not (np.linalg.det(matrices) > 0.5).all():
        raise FormatError(f"{name} holds matrices that are no rotations")
    left, _, right = np.linalg.svd(matrices)
    return np.asarray(left @ right)


def _one_number(value: Any, name: str) -> float:  # noqa: ANN401
    if value is None:
        raise FormatError(f"the file says no {name}; give the frames per second")
    numbers = _numbers(name, value)
    if numbers.size != 1 or not numbers.reshape(()) > 0:
        raise FormatError(f"{name} is no positive number; give the frames per second")
    return float(numbers.reshape(()))


def _betas(value: Any) -> Array:  # noqa: ANN401
    """(n,) the mean shape over the frames; empty where there is none."""
    if value is None:
        return np.zeros(0)
    numbers = _numbers("betas", value)
    return numbers if numbers.ndim == 1 else _rows(numbers).mean(axis=0)


def _frame_numbers(value: Any, count: int) -> npt.NDArray[np.int64]:  # noqa: ANN401
    if value is None:
        return np.arange(count)
    numbers = _numbers("the frame numbers", value).reshape(-1)
    return _shaped("the frame numbers", numbers, (count,)).astype(np.int64)


def _part(found: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401
    if name not in found:
        raise FormatError(f"the file lacks {name}")
    return found[name]
