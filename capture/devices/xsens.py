"""Xsens MVN's network streamer: solved bodies, and the motion trackers of the suit."""

import json
import selectors
from functools import cache
from pathlib import Path

import numpy as np

from ...rig import quaternion
from ...rig.arrays import Array
from ...rig.errors import DeviceError
from .receiver import Address, UdpReceiver
from .samples import PoseSample, TrackerSample
from .solved_body import SolvedBody
from .tally import Tally
from .tcp_streams import TcpStreams
from .threaded import MOST_TRACKERS
from .xsens_packets import (
    POSES,
    FragmentJoiner,
    XsensPacket,
    parse_xsens,
    read_segments,
    read_trackers,
    split_stream,
)

__all__ = ["XsensMvn"]

_WRAPS = 2**32  # samples
_CENTIMETRES = 5.0  # a body that is wider than that many metres is told in centimetres
# A segment's frame is x forward, y left, z up in the T-pose; a bone's frame is the world's, facing -y.
_SEGMENT_FROM_BONE = quaternion.from_axis_angle(np.array([0.0, 0.0, 1.0]), np.pi / 2)


@cache
def _segments() -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Names of the segments by id - 1, and the id of each one's parent, 0 for none."""
    path = Path(__file__).with_name("xsens_segments.json")
    table = json.loads(path.read_text(encoding="utf-8"))
    return tuple(table["names"]), tuple(table["parents"])


class XsensMvn(UdpReceiver):
    """Programs that stream MVN's protocol over UDP or TCP (they connect to this port).

    Each character is a performer such as "xsens 192.168.1.5/0", each of its motion trackers (type 23) a
    tracker such as "xsens 192.168.1.5/0 Pelvis". Poses are read of type 02. The documents disagree on its
    unit: a body of more than five metres is told in centimetres. No rest pose is sent: bone lengths are
    those of the first whole pose, standing in the T-pose in which segments' frames lie along the world.

    Args:
        host: address of the interface to listen on.
        port: UDP and TCP port; MVN sends to 9763.
        paired: names of the performers and trackers whose samples are taken.
    """

    def __init__(
        self, host: str = "127.0.0.1", port: int = 9763, paired: frozenset[str] = frozenset()
    ) -> None:
        super().__init__("xsens", "Xsens MVN", host, port, paired, largest=8192)
        self._joiner = FragmentJoiner()
        self._streams = TcpStreams(split_stream, self.pass_on)
        self._bodies: dict[str, SolvedBody] = {}
        self._heard: dict[Address, str] = {}

    def open(self) -> None:
        """Bind the port, for UDP and for TCP.

        Raises:
            DeviceError: another program has it, or no interface has that address.
        """
        super().open()
        try:
            self._streams.open(self.name, *self.address)
        except DeviceError:
            self.close()
            raise

    def watch(self, selector: selectors.BaseSelector) -> None:
        """Read connections as well."""
        self._streams.watch(selector)

    def receive(self, datagram: bytes, sender: Address, now: float) -> None:
        """Read one datagram of poses or trackers.

        Raises:
            DeviceError: it can't be understood.
        """
        packet = parse_xsens(datagram)
        items = None if packet is None else self._joiner.join(sender, packet)
        if packet is None or not items:
            return
        name = f"xsens {sender[0]}/{packet.character}"
        if packet.kind == POSES:
            self._pose(name, packet, items, sender, now)
        else:
            self._trackers(name, packet, items, sender, now)

    def tally_of(self, sender: Address) -> Tally | None:
        """The counts of the first performer or tracker there."""
        name = self._heard.get(sender, f"xsens {sender[0]}/0")
        return self.tally(name, _place(sender), _WRAPS)

    def close(self) -> None:
        """Close the port and forget what was half gathered."""
        super().close()
        self._streams.close()
        self._joiner = FragmentJoiner()
        self._bodies.clear()

    def _tally(self, name: str, sender: Address) -> Tally | None:
        if sender not in self._heard:
            self._heard[sender] = name
            if len(self._heard) > MOST_TRACKERS:
                del self._heard[next(iter(self._heard))]
        return self.tally(name, _place(sender), _WRAPS)

    def _trackers(
        self, name: str, packet: XsensPacket, items: bytes, sender: Address, now: float
    ) -> None:
        names, _ = _segments()
        ids, rotations, accelerations = read_trackers(items)
        for row, segment in enumerate(ids):
            if not 1 <= segment <= len(names):
                continue
            tracker = f"{name} {names[segment - 1]}"
            tally = self._tally(tracker, sender)
            if tally is not None and tally.hear(now, packet.sample):
                reading = rotations[row], accelerations[row]
                self.give(TrackerSample(tracker, now, packet.time, *reading, packet.sample))

    def _pose(
        self, name: str, packet: XsensPacket, items: bytes, sender: Address, now: float
    ) -> None:
        ids, positions, rotations = read_segments(items)
        known = [row for row, i in enumerate(ids) if 1 <= i <= len(_segments()[0])]
        known.sort(key=lambda row: ids[row])
        ids = tuple(ids[row] for row in known)
        tally = self._tally(name, sender)
        if (
            not ids
            or len(set(ids)) != len(ids)
            or tally is None
            or not tally.hear(now, packet.sample)
        ):
            return
        world = quaternion.multiply(rotations[known], _SEGMENT_FROM_BONE)
        heads = positions[known] * _metres(positions[known])
        names = tuple(_segments()[0][i - 1] for i in ids)
        still = np.tile(quaternion.IDENTITY, (len(ids), 1))
        bones = self._body(name).at_rest(names, _parents(ids), still, world, heads)
        if bones is not None:
            self.give(PoseSample(name, now, packet.time, bones, world, heads, packet.sample))

    def _body(self, name: str) -> SolvedBody:
        if name not in self._bodies:
            if len(self._bodies) >= MOST_TRACKERS:
                del self._bodies[next(iter(self._bodies))]
            self._bodies[name] = SolvedBody()
        return self._bodies[name]


def _metres(positions: Array) -> float:
    """Metres per unit of what is sent."""
    finite = positions[np.isfinite(positions).all(axis=1)]
    wide = len(finite) and float(np.ptp(finite, axis=0).max()) > _CENTIMETRES
    return 0.01 if wide else 1.0


def _parents(ids: tuple[int, ...]) -> tuple[int, ...]:
    """The place of each segment's nearest parent that is sent."""
    _, above = _segments()
    found = []
    for segment in ids:
        parent = above[segment - 1]
        while parent and parent not in ids:
            parent = above[parent - 1]
        found.append(ids.index(parent) if parent else -1)
    return tuple(found)


def _place(sender: Address) -> str:
    return f"{sender[0]}:{sender[1]}"
