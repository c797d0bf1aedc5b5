"""Programs of npm that the tests talk with: where they are, and the SlimeVR trackers among them.

`dev/setup` installs them under `.venv/npm`. Where they are not, tests are skipped with one clear line, but
fail with PALLAS_CI=1.
"""

import contextlib
import json
import os
import queue
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pallas.rig import quaternion

ROOT = Path(__file__).resolve().parents[2]
NPM = ROOT / ".venv" / "npm"
_STARTING = 30.0  # seconds that a program may take to start on a busy machine
# Protocol 13 sends accelerations a quarter turn about z away from the frame of the orientation.
_AS_SENT = quaternion.from_axis_angle(np.array([0.0, 0.0, 1.0]), np.pi / 2)


def need_node() -> Path:
    """The folder with node_modules, or skip the test."""
    if shutil.which("node") and (NPM / "node_modules").is_dir():
        return NPM
    message = f"no node, or no npm packages in {NPM}: run make setup where npm is installed"
    if os.environ.get("PALLAS_CI") == "1":
        pytest.fail(message)
    pytest.skip(message)


def free_port() -> int:
    """A UDP port of loopback that no program has at the moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind(("127.0.0.1", 0))
        return opened.getsockname()[1]


def support(name: str) -> Path:
    """A program of this folder."""
    return Path(__file__).with_name(name)


class Program:
    """A node program that tells JSON lines on stdout and ends when its stdin does."""

    def __init__(self, *command: str) -> None:
        self.process = subprocess.Popen(
            ["node", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: queue.Queue[str] = queue.Queue()
        self.errors: list[str] = []
        self.readers = [
            threading.Thread(target=self._read, args=(self.process.stdout, self.lines.put)),
            threading.Thread(target=self._read, args=(self.process.stderr, self.errors.append)),
        ]
        for reader in self.readers:
            reader.start()

    def _read(self, stream, keep):
        for line in stream:
            keep(line)
        keep("")

    def told(self, event: str, seconds: float = _STARTING) -> dict:
        """Wait for the next line and check that it tells of this event."""
        try:
            line = self.lines.get(timeout=seconds)
        except queue.Empty:
            raise AssertionError(f"{event!r} was not told within {seconds} s") from None
        assert line, f"the program ended: {''.join(self.errors)}"
        told = json.loads(line)
        assert told["event"] == event, told
        return told

    def say(self, line: str) -> None:
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def end(self) -> None:
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        try:
            self.process.wait(10.0)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for reader in self.readers:
            reader.join()
        self.process.stdout.close()
        self.process.stderr.close()


class Emulators:
    """Emulated trackers at work.

    Attributes:
        trackers: names of the sensors as `SlimeVr` tells them, in the order of the arrays played.
        sent: per sensor, rotations that were counted as sent (known once `finish` was called).
        dropped: per sensor, how many of these were thrown away on purpose.
    """

    def __init__(self, program: Program, trackers: tuple[str, ...]) -> None:
        self.program = program
        self.trackers = trackers
        self.sent: tuple[int, ...] = ()
        self.dropped: tuple[int, ...] = ()

    def start(self, seconds: float = _STARTING) -> float:
        """Wait until all are connected and play; `time.monotonic` of the first frame."""
        self.program.told("connected", seconds)
        at = self.program.told("playing", seconds)["at"]
        return at - time.time() + time.monotonic()

    def finish(self, seconds: float) -> None:
        """Wait until the file was played to its end (or `stop` was called) and read the counts."""
        done = self.program.told("done", seconds)
        self.sent, self.dropped = tuple(done["sent"]), tuple(done["dropped"])

    def stop(self, seconds: float = 10.0) -> None:
        """End a looping play and read the counts."""
        self.program.process.stdin.close()
        self.finish(seconds)


@contextlib.contextmanager
def slimevr_emulators(
    address: tuple[str, int],
    world_from_sensor: np.ndarray,
    acceleration: np.ndarray,
    rate: float,
    *,
    sensors_per_tracker: int = 1,
    loss: float = 0.0,
    seed: int = 0,
    loop: bool = False,
) -> Iterator[Emulators]:
    """Emulated SlimeVR trackers (the npm package's, protocol 13) that play these arrays in real time.

    They look for the server at `address` at once, wait until all are connected, then play::

        with SlimeVr(port=0) as device, slimevr_emulators(device.address, q, a, 100.0) as emulators:
            begin = emulators.start()
            …
            emulators.finish(60.0)

    Frame k is sent k / rate seconds after `begin`. Leaving the context ends them.

    Args:
        address: host and port of the server, such as `SlimeVr.address`.
        world_from_sensor: (T, S, 4) unit quaternions (w, x, y, z), world z up.
        acceleration: (T, S, 3) linear, m/s^2, in the world.
        rate: frames per second.
        sensors_per_tracker: the S sensors are spread over S / this many trackers.
        loss: share of the rotation and acceleration packets that are thrown away, each by its own dice.
        seed: of these dice.
        loop: play again and again until `stop`.
    """
    folder = need_node()
    frames, sensors = world_from_sensor.shape[:2]
    own = quaternion.rotate(quaternion.conjugate(world_from_sensor), acceleration)
    own = quaternion.rotate(_AS_SENT, own)
    columns = np.concatenate([world_from_sensor, own], axis=-1).reshape(frames, 7 * sensors)
    table = np.column_stack([np.arange(frames) / rate, columns])
    names = tuple(
        f"slimevr 02:50:41:4C:00:{i // sensors_per_tracker + 1:02X}/{i % sensors_per_tracker}"
        for i in range(sensors)
    )
    with tempfile.TemporaryDirectory() as temporary:
        file = Path(temporary) / "motion.csv"
        np.savetxt(file, table, fmt="%.9g", delimiter=",")
        options = {
            "file": str(file),
            "host": address[0],
            "port": address[1],
            "sensorsPerTracker": sensors_per_tracker,
            "loss": loss,
            "seed": seed,
            "loop": loop,
        }
        program = Program(str(support("slimevr_emulator.mjs")), str(folder), json.dumps(options))
        try:
            yield Emulators(program, names)
        finally:
            program.end()
