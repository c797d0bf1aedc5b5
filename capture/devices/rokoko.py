"""Actors that Rokoko Studio streams."""

import numpy as np

from ...rig import quaternion
from ...rig.arrays import Array
from .bone_chain import world_from_local
from .receiver import Address, UdpReceiver
from .rokoko_packets import RokokoActor, parse_rokoko, rokoko_bones
from .samples import PoseSample
from .solved_body import SolvedBody
from .tally import Tally
from .threaded import MOST_TRACKERS
from .vmc_bones import humanoid_standing

__all__ = ["Rokoko"]

_NOWHERE = (
    1e-3  # metres; where no bone but the hip is further from the origin, no positions were sent
)


class Rokoko(UdpReceiver):
    """Rokoko Studio's live stream, JSON v2 or v3, plain or compressed.

    Each actor is a performer such as "rokoko 192.168.1.5 Anna". Bone lengths are those of the first whole
    pose; where only the hip's position is sent, those of a person of 1.70 m. The rest pose is the T-pose
    of Studio's reference avatar. The stream doesn't count its frames, so losses are not known.

    Args:
        host: address of the interface to listen on.
        port: UDP port; Studio sends to 14043.
        paired: names of the performers whose poses are taken.
    """

    def __init__(
        self, host: str = "127.0.0.1", port: int = 14043, paired: frozenset[str] = frozenset()
    ) -> None:
        super().__init__("rokoko", "Rokoko", host, port, paired, largest=65_507, fastest=1000.0)
        self._bodies: dict[str, SolvedBody] = {}
        self._heard: dict[Address, str] = {}

    def receive(self, datagram: bytes, sender: Address, now: float) -> None:
        """Read one frame.

        Raises:
            DeviceError: it can't be understood.
        """
        for actor in parse_rokoko(datagram):
            name = f"rokoko {sender[0]} {actor.name}".strip()
            self._heard[sender] = name
            if len(self._heard) > MOST_TRACKERS:
                del self._heard[next(iter(self._heard))]
            tally = self.tally(name, f"{sender[0]}:{sender[1]}")
            if tally is not None and tally.hear(now):
                self._give(name, actor, now)

    def tally_of(self, sender: Address) -> Tally | None:
        """The counts of the last actor from there."""
        name = self._heard.get(sender, f"rokoko {sender[0]}")
        return self.tally(name, f"{sender[0]}:{sender[1]}")

    def close(self) -> None:
        """Close the port and forget whose lengths were learnt."""
        super().close()
        self._bodies.clear()

    def _give(self, name: str, actor: RokokoActor, now: float) -> None:
        parents = _parents(actor.bones)
        rest = np.array([rokoko_bones()[bone].rest for bone in actor.bones])
        heads = actor.heads
        if not np.abs(np.nan_to_num(heads[1:])).max(initial=0.0) > _NOWHERE:
            heads = _with_lengths(actor, parents, rest)
        if name not in self._bodies and len(self._bodies) >= MOST_TRACKERS:
            del self._bodies[next(iter(self._bodies))]
        body = self._bodies.setdefault(name, SolvedBody())
        bones = body.at_rest(actor.bones, parents, rest, actor.rotations, heads)
        if bones is not None:
            self.give(PoseSample(name, now, actor.time, bones, actor.rotations, heads))


def _parents(bones: tuple[str, ...]) -> tuple[int, ...]:
    """The place of each bone's nearest parent that is sent."""
    found = []
    for bone in bones:
        parent = rokoko_bones()[bone].parent
        while parent is not None and parent not in bones:
            parent = rokoko_bones()[parent].parent
        found.append(-1 if parent is None else bones.index(parent))
    return tuple(found)


def _with_lengths(actor: RokokoActor, parents: tuple[int, ...], rest: Array) -> Array:
    """Heads of a person of 1.70 m in the actor's pose, from where the hip is told to be."""
    standing = np.array(
        [humanoid_standing()[rokoko_bones()[bone].humanoid] for bone in actor.bones]
    )
    above = np.array(parents)
    offsets = quaternion.rotate(quaternion.conjugate(rest[above]), standing - standing[above])
    local = quaternion.multiply(quaternion.conjugate(actor.rotations[above]), actor.rotations)
    roots = above < 0
    local[roots], offsets[roots] = actor.rotations[roots], actor.heads[roots]
    return world_from_local(parents, local, offsets)[1]
