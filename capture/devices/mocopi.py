"""Poses that Sony's mocopi app sends."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ...rig.errors import DeviceError
from ...rig.retarget.bones import Bones
from .bone_chain import bones_at_rest, world_from_local
from .mocopi_packets import MocopiBones, MocopiFrame, parse_mocopi
from .performers import PoseReceiver
from .samples import PoseSample

__all__ = ["Mocopi"]

_WRAPS = 2**32  # frames


@cache
def _known() -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Names of the bones by id, and the id of each one's parent."""
    path = Path(__file__).with_name("mocopi_bones.json")
    table = json.loads(path.read_text(encoding="utf-8"))
    return tuple(table["names"]), tuple(table["parents"])


@dataclass
class _Performer:
    """What one app has told so far."""

    ids: tuple[int, ...] = ()
    bones: Bones | None = None
    defined: bool = False  # whether by a skeleton definition, not by a first frame


class Mocopi(PoseReceiver[_Performer]):
    """Phones that run the mocopi app, each a performer such as "mocopi 192.168.1.20".

    The app sends its skeleton now and then; until then the bone lengths of the first frame are taken.

    Args:
        host: address of the interface to listen on.
        port: UDP port; the app sends to 12351.
        paired: names of the performers whose poses are taken.
    """

    def __init__(
        self, host: str = "127.0.0.1", port: int = 12351, paired: frozenset[str] = frozenset()
    ) -> None:
        super().__init__("mocopi", "mocopi", host, port, paired)

    def new_performer(self) -> _Performer:
        """What is kept of a phone."""
        return _Performer()

    def read(self, performer: _Performer, name: str, datagram: bytes, now: float) -> None:
        """Read a skeleton or a pose.

        Raises:
            DeviceError: it is no datagram of mocopi, or another skeleton than ours.
        """
        frame = parse_mocopi(datagram)
        if frame.at_rest:
            _learn(performer, frame.bones, defined=True)
            return
        if frame.bones.ids != performer.ids:
            _learn(performer, frame.bones, defined=False)
        tally = self.tally(name, modulus=_WRAPS)
        if tally is not None and tally.hear(now, frame.number):
            self.give(_pose(performer, name, frame, now))


def _pose(performer: _Performer, name: str, frame: MocopiFrame, now: float) -> PoseSample:
    bones = performer.bones
    assert bones is not None
    told = frame.bones
    rotations, heads = world_from_local(bones.parents, told.rotations, told.positions)
    clock = frame.time if np.isnan(frame.clock) else frame.clock
    return PoseSample(name, now, clock, bones, rotations, heads, frame.number)


def _learn(performer: _Performer, told: MocopiBones, defined: bool) -> None:
    """Take over the bones at rest, but no new ones for the same definition told again."""
    names, parents = _known()
    above = told.parents if defined else tuple(parents[i] for i in told.ids if i < len(parents))
    places = [told.ids.index(parent) if parent in told.ids else -1 for parent in above]
    if len(places) != len(told.ids) or any(place >= bone for bone, place in enumerate(places)):
        raise DeviceError(
            f"a mocopi skeleton of {len(told.ids)} bones that is no tree of known ones; "
            f"expected {len(names)} bones, parents first"
        )
    if not np.isfinite(told.positions).all() or (defined and np.isnan(told.rotations).any()):
        raise DeviceError("a mocopi skeleton with a bone that is nowhere; expected metres")
    still = np.zeros_like(told.rotations)
    still[:, 0] = 1.0
    rotations, heads = world_from_local(
        places, told.rotations if defined else still, told.positions
    )
    same = performer.bones is not None and performer.defined and performer.ids == told.ids
    if (
        same
        and performer.bones is not None
        and np.allclose(performer.bones.heads, heads, atol=1e-4)
    ):
        return
    called = [names[i] if i < len(names) else f"bone_{i}" for i in told.ids]
    performer.ids, performer.defined = told.ids, defined
    performer.bones = bones_at_rest(called, places, rotations, heads)
