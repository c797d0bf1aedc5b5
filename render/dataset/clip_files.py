"""What belongs to a whole clip: what was drawn, the bodies' motion, what virtual sensors measure."""

import io
from dataclasses import replace

import numpy as np

from ...capture.recording_writer import write_recording_file
from ...capture.virtual_imu import STANDARD_SENSORS, ImuErrors, virtual_recording
from ...rig import quaternion
from ...rig.arrays import Array
from ...rig.motion import Motion
from .actors import Actor
from .clip import Clip
from .draws import generator
from .store import Store, json_bytes

__all__ = ["clip_name", "write_clip_files"]


def clip_name(number: int) -> str:
    """Where a clip's description is, within the dataset."""
    return f"clips/{number:06d}.json"


def write_clip_files(clip: Clip, store: Store) -> None:
    """Write them; the description last, which has the others' digests.

    Raises:
        OutputError: something can't be written.
    """
    files = {}
    if clip.actors:
        name = f"bodies/{clip.number:06d}.npz"
        files[name] = store.write(name, _bodies(clip))
    for actor in clip.actors:
        if clip.spec.imu.placements:
            name = f"imu/{clip.number:06d}_{actor.number}.pallas"
            files[name] = store.write(name, _recording(clip, actor, store))
    store.write(clip_name(clip.number), json_bytes({**clip.about, "files": files}))


def _bodies(clip: Clip) -> bytes:
    """The 24 joints' turns and the root's place at every frame, in numpy's format."""
    moments = np.arange(clip.spec.dataset.frames) / clip.spec.dataset.fps
    poses = [_posed(actor, moments) for actor in clip.actors]
    file = io.BytesIO()
    np.savez_compressed(
        file,
        names=np.array(clip.actors[0].motion.skeleton.names),
        parents=np.array(clip.actors[0].motion.skeleton.parents, dtype=np.int64),
        offsets=np.stack([actor.motion.skeleton.offsets for actor in clip.actors]).astype(
            np.float32
        ),
        root_position=np.stack([root for root, _ in poses]).astype(np.float32),
        rotations=np.stack([turns for _, turns in poses]).astype(np.float32),
        fps=np.float64(clip.spec.dataset.fps),
    )
    return file.getvalue()


def _posed(actor: Actor, moments: Array) -> tuple[Array, Array]:
    motion = actor.motion
    times = moments + actor.lead
    root = np.stack(
        [np.interp(times, motion.times, column) for column in motion.root_position.T], -1
    )
    return root, quaternion.resample(motion.rotations, motion.times, times)


def _recording(clip: Clip, actor: Actor, store: Store) -> bytes:
    """From the motion with its margins, so that ends are as true as the middle; then only the clip's time."""
    imu, dataset = clip.spec.imu, clip.spec.dataset
    random = generator(dataset.seed, "clip", clip.number, "imu", actor.number)
    errors = ImuErrors.worn(int(random.integers(2**31))) if imu.errors == "worn" else None
    sensors = {name: STANDARD_SENSORS[name] for name in imu.placements}
    rate = imu.fps
    # Samples fall on the clip's first frame whatever the rates are.
    skip = int(np.floor(actor.lead * rate + 1e-9))
    shifted = _from(actor, actor.lead - skip / rate)
    whole = virtual_recording(shifted, sensors, fps=rate, errors=errors)
    count = int(np.floor((dataset.frames - 1) / dataset.fps * rate + 1e-9)) + 1
    kept = slice(skip, skip + count)
    recording = replace(
        whole,
        times=whole.times[kept] - whole.times[skip],
        world_from_sensor=whole.world_from_sensor[kept],
        acceleration=whole.acceleration[kept],
    )
    path = store.scratch / "recording.pallas"
    write_recording_file(path, recording, force=True)
    content = path.read_bytes()
    path.unlink()
    return content


def _from(actor: Actor, start: float) -> Motion:
    """The motion resampled so that its first frame is at `start` seconds."""
    motion = actor.motion
    count = int(np.floor((motion.duration - start) * motion.fps + 1e-9)) + 1
    moments = start - actor.lead + np.arange(count) / motion.fps
    root, turns = _posed(actor, moments)
    return Motion(motion.skeleton, root, turns, motion.fps)
