"""UI-PRMD: ten rehabilitation exercises by nine people, from optical markers by our own marker IK."""

from collections.abc import Collection, Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from ...rig import quaternion
from ...rig.arrays import Array
from ...rig.errors import FormatError
from ...rig.marker_sets import PLUG_IN_GAIT, Marker
from ...rig.motion import Motion
from ...rig.skeleton import Skeleton
from .mend import mended
from .take import Take, Takes

__all__ = ["marker_order", "read_repetitions", "ui_prmd_takes", "with_resting_neck"]

SOURCE = "UI-PRMD, Vakanski et al. 2018, segmented Vicon positions"
LICENCE = "Open Data Commons PDDL 1.0"
FPS = 100.0
_ORDER = (
    "LFHD RFHD LBHD RBHD C7 T10 CLAV STRN RBAK LSHO LUPA LELB LFRM LWRA LWRB LFIN RSHO RUPA RELB RFRM "
    "RWRA RWRB RFIN LASI RASI LPSI RPSI LTHI LKNE LTIB LANK LHEE LTOE RTHI RKNE RTIB RANK RHEE RTOE"
)
_LARGEST_RMS = 0.04  # metres, of all markers of a repetition
_CALIBRATION_FRAMES = 360
_MOST_MISSING = 0.15  # fraction of a repetition's marker positions


def marker_order() -> tuple[Marker, ...]:
    """The 39 markers in the order of the files."""
    by_name = {marker.name: marker for marker in PLUG_IN_GAIT}
    return tuple(by_name[name] for name in _ORDER.split())


def ui_prmd_takes(folder: Path, only: Collection[str] = ()) -> Takes:
    """Every repetition of `ui_prmd/sNN.npz`, subject by subject.

    Args:
        folder: that holds `ui_prmd`.
        only: names such as "ui_prmd/s01_m01_e01_correct"; all if empty.

    Raises:
        FormatError: a file is damaged.
    """
    for path in sorted((folder / "ui_prmd").glob("s*.npz")):
        prefix = f"ui_prmd/{path.stem}"
        if only and not any(name.startswith(prefix) for name in only):
            continue
        repetitions = read_repetitions(path)
        every = list(repetitions.values())
        wanted = {
            name: markers
            for name, markers in repetitions.items()
            if not only or f"{prefix}_{name}" in only
        }
        yield from _subject(prefix, every, wanted)


def read_repetitions(path: Path) -> dict[str, Array]:
    """Marker positions (T, 39, 3) in metres by repetition; missing markers are NaN.

    Raises:
        FormatError: the file is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as data:
            return {name: _decoded(data[name]) for name in data.files}
    except (OSError, ValueError, BadZipFile) as error:
        raise FormatError(f"{path} can't be read ({error}); fetch it again") from error


def _decoded(differences: Array) -> Array:
    """Undo the storage: differences over time in tenths of a millimetre."""
    positions = np.cumsum(differences, axis=0, dtype=np.int32).reshape(-1, 39, 3) * 1e-4
    positions[(positions == 0.0).all(axis=-1)] = np.nan
    return np.asarray(positions)


def _subject(prefix: str, every: list[Array], wanted: dict[str, Array]) -> Takes:
    """Fit the person on all repetitions, then pose every frame of the wanted ones."""
    # torch takes seconds to load, and reading a library doesn't need it.
    from ...rig.solve.marked_body import fit_body, marker_errors, track  # noqa: PLC0415

    body = fit_body(_spread(every), marker_order(), FPS)
    usable = {name: clip for name, clip in wanted.items() if _missing(clip) <= _MOST_MISSING}
    motions = dict(zip(usable, track(body, list(usable.values()), FPS), strict=True))
    resting = dict(zip(usable, with_resting_neck(list(motions.values())), strict=True))
    for name, positions in wanted.items():
        if name not in usable:
            share = f"{100 * _missing(positions):.0f} % of the markers are missing"
            yield _take(prefix, name, None, share, 0)
            continue
        rms = float(np.sqrt(np.nanmean(marker_errors(body, motions[name], positions) ** 2)))
        motion, touched = mended(resting[name])
        problem = f"markers {100 * rms:.1f} cm off the body" if rms > _LARGEST_RMS else ""
        yield _take(prefix, name, motion, problem, touched, rms)


def with_resting_neck(motions: Sequence[Motion]) -> list[Motion]:
    """Let the neck of one person rest as it is usually held.

    A neck slopes forward from the shoulders to the skull; the standard body's is upright. Without this the
    neck would be bent forward by a dozen degrees in every frame, and a sensor on it turned by as much.
    The slope goes into the rest pose instead; no joint moves.
    """
    if not motions:
        return []
    skeleton = motions[0].skeleton
    neck, head = skeleton.index("neck"), skeleton.index("head")
    bends = quaternion.to_rotation_vector(np.concatenate([m.rotations[:, neck] for m in motions]))
    slope = quaternion.from_rotation_vector(np.array([np.median(bends[:, 0]), 0.0, 0.0]))
    offsets = np.array(skeleton.offsets)
    offsets[head] = quaternion.rotate(slope, offsets[head])
    sloped = Skeleton(skeleton.names, skeleton.parents, offsets, skeleton.tips)
    back = quaternion.conjugate(slope)
    result = []
    for motion in motions:
        rotations = np.array(motion.rotations)
        rotations[:, neck] = quaternion.multiply(rotations[:, neck], back)
        rotations[:, head] = quaternion.multiply(slope, rotations[:, head])
        result.append(Motion(sloped, motion.root_position, rotations, motion.fps))
    return result


def _missing(positions: Array) -> float:
    return float(np.isnan(positions[..., 0]).mean())


def _spread(every: list[Array]) -> Array:
    """Frames with all markers, spread over all repetitions."""
    frames = np.concatenate(every)
    whole = np.flatnonzero(np.isfinite(frames).all(axis=(1, 2)))
    chosen = whole[np.linspace(0, len(whole) - 1, min(_CALIBRATION_FRAMES, len(whole))).astype(int)]
    return frames[chosen]


def _take(
    prefix: str, name: str, motion: Motion | None, problem: str, touched: int, rms: float = np.nan
) -> Take:
    return Take(
        f"{prefix}_{name}", prefix, SOURCE, LICENCE, motion, problem, mended=touched, residual=rms
    )
