"""Poses that other programs send in the Virtual Motion Capture protocol (VMC, over OSC)."""

from dataclasses import dataclass, field

import numpy as np

from ...rig import quaternion
from ...rig.retarget.bones import Bones
from .bone_chain import world_from_local
from .osc import parse_osc
from .performers import PoseReceiver
from .samples import PoseSample
from .vmc_bones import humanoid_at_rest
from .vmc_frames import FrameGatherer, VmcFrame

__all__ = ["VmcReceiver"]

_MOVED = 0.005  # metres; a bone that starts elsewhere by more belongs to another avatar
_FASTEST = 50_000.0  # packets a second; some programs send each bone in one of its own


@dataclass
class _Performer:
    """What one sender has told so far."""

    frames: FrameGatherer = field(default_factory=FrameGatherer)
    bones: Bones | None = None
    offsets: dict[str, list[float]] = field(default_factory=dict)


class VmcReceiver(PoseReceiver[_Performer]):
    """Programs that send poses over VMC, each a performer such as "vmc 127.0.0.1".

    The protocol tells rotations in the parents' frames and no rest pose; see `humanoid_at_rest` for the
    one that is taken. It doesn't count, so losses are not known: a bone whose message was lost keeps its
    pose for a quarter of a second and then is NaN.

    Args:
        host: address of the interface to listen on.
        port: UDP port; programs that send send to 39539.
        paired: names of the performers whose poses are taken.
    """

    def __init__(
        self, host: str = "127.0.0.1", port: int = 39539, paired: frozenset[str] = frozenset()
    ) -> None:
        super().__init__("vmc", "VMC", host, port, paired, fastest=_FASTEST)

    def new_performer(self) -> _Performer:
        """What is kept of a sender."""
        return _Performer()

    def read(self, performer: _Performer, name: str, datagram: bytes, now: float) -> None:
        """Gather the messages of a datagram to poses.

        Raises:
            DeviceError: it is no OSC.
        """
        for message in parse_osc(datagram):
            frame = performer.frames.hear(message, now)
            tally = None if frame is None else self.tally(name)
            if frame is not None and tally is not None and tally.hear(now):
                self.give(_pose(performer, name, frame, now))


def _pose(performer: _Performer, name: str, frame: VmcFrame, now: float) -> PoseSample:
    bones = _bones(performer, frame)
    rotations = np.full((len(bones), 4), np.nan)
    positions = bones.heads - bones.heads[list(bones.parents)]
    place = [bones.names.index(bone) for bone in frame.names]
    rotations[place] = frame.rotations
    roots = np.flatnonzero(np.asarray(bones.parents) < 0)
    positions[roots] = np.nan
    for bone, told in zip(place, frame.positions, strict=True):
        if bone in roots:
            positions[bone] = frame.root_position + quaternion.rotate(frame.root_rotation, told)
    rotations[roots] = quaternion.multiply(frame.root_rotation, rotations[roots])
    rotations, heads = world_from_local(bones.parents, rotations, positions)
    return PoseSample(name, now, frame.time, bones, rotations, heads)


def _bones(performer: _Performer, frame: VmcFrame) -> Bones:
    """The sender's bones at rest: new ones only when it sends more of them or another avatar's."""
    finite = np.isfinite(frame.positions).all(axis=1)
    told = {
        name: frame.positions[row].tolist() for row, name in enumerate(frame.names) if finite[row]
    }
    known = performer.offsets
    same = told.keys() <= known.keys() and all(
        max(abs(a - b) for a, b in zip(told[name], known[name], strict=True)) < _MOVED
        for name in told
        if name != "Hips"
    )
    if performer.bones is None or not same or not set(frame.names) <= set(performer.bones.names):
        performer.offsets = told
        performer.bones = humanoid_at_rest(dict(zip(frame.names, frame.positions, strict=True)))
    return performer.bones
