"""Our poses, sent to other programs in the Virtual Motion Capture protocol (VMC, over OSC)."""

import socket
from types import TracebackType
from typing import Self

import numpy as np

from ...rig.arrays import Array, checked
from ...rig.errors import DeviceError
from ...rig.skeleton import BODY_JOINTS, Skeleton, body_skeleton
from .osc import format_osc_bundle, format_osc_message
from .unity import to_unity, to_unity_rotation
from .vmc_bones import humanoid_joints

__all__ = ["VmcSender", "vmc_messages"]

_LARGEST = 1400  # bytes of a datagram, so that no network cuts it
_STANDING = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)  # a root that never moves: the hips do


class VmcSender:
    """Sends the 24-joint body to programs that take VMC, as a context manager.

    Args:
        host: name or address of the computer to send to.
        port: UDP port; programs listen on 39539, or 39540 for what assists them.
        skeleton: whose bone lengths are told, that of a person of 1.70 m unless given.

    Raises:
        DeviceError: there is no such computer.
    """

    def __init__(
        self, host: str = "127.0.0.1", port: int = 39539, skeleton: Skeleton | None = None
    ) -> None:
        try:
            family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
            self._socket = socket.socket(family, kind)
        except (OSError, OverflowError, UnicodeError) as error:
            raise DeviceError(
                f"no computer {host}:{port} to send to ({error}); expected an address such as "
                "127.0.0.1 and a port up to 65535"
            ) from error
        self._socket.setblocking(False)
        self._address = address
        self._place = f"{host}:{port}"
        self._skeleton = skeleton or body_skeleton()

    def __enter__(self) -> Self:
        """Nothing to open: sending needs no answer."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it; twice is allowed."""
        self.close()

    def close(self) -> None:
        """Close it; twice is allowed."""
        self._socket.close()

    def send(self, rotations: Array, root_position: Array, time: float) -> None:
        """Send one pose.

        Args:
            rotations: (24, 4) parent_from_joint of the body's joints, NaN where missing (not sent).
            root_position: (3,) metres, the pelvis in the world, z up.
            time: seconds, of any clock that only grows.

        Raises:
            ShapeError: an array has another shape.
            DeviceError: the system doesn't let it be sent.
        """
        messages = vmc_messages(self._skeleton, rotations, root_position, time)
        for bundle in _bundles(messages):
            try:
                self._socket.sendto(bundle, self._address)
            except BlockingIOError:
                return  # the network is slower than we are: this frame is dropped
            except ConnectionError:
                continue  # nobody listens there yet
            except OSError as error:
                raise DeviceError(
                    f"can't send to {self._place} ({error}); is the network up?"
                ) from error


def vmc_messages(
    skeleton: Skeleton, rotations: Array, root_position: Array, time: float
) -> list[bytes]:
    """The messages of one pose: that all is well, the time, the root, each bone in its parent's frame.

    Args:
        skeleton: 24 joints as `body_skeleton` names them.
        rotations: (24, 4) parent_from_joint.
        root_position: (3,) metres.
        time: seconds.

    Raises:
        ShapeError: an array has another shape.
    """
    rotations = checked("rotations", rotations, (len(BODY_JOINTS), 4))
    root_position = checked("root_position", root_position, (3,))
    turns = to_unity_rotation(rotations)
    starts = to_unity(np.concatenate([root_position[None], skeleton.offsets[1:]]))
    messages = [
        format_osc_message("/VMC/Ext/OK", 1),
        format_osc_message("/VMC/Ext/T", float(time)),
        format_osc_message("/VMC/Ext/Root/Pos", "root", *_STANDING),
    ]
    for bone, name in humanoid_joints().items():
        joint = skeleton.index(name)
        numbers = np.concatenate([starts[joint], turns[joint]])
        if np.isfinite(numbers).all():
            messages.append(format_osc_message("/VMC/Ext/Bone/Pos", bone, *numbers.tolist()))
    return messages


def _bundles(messages: list[bytes]) -> list[bytes]:
    bundles: list[list[bytes]] = [[]]
    size = 0
    for message in messages:
        if size + len(message) + 4 > _LARGEST:
            bundles.append([])
            size = 0
        bundles[-1].append(message)
        size += len(message) + 4
    return [format_osc_bundle(bundle) for bundle in bundles]
