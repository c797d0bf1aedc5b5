"""A long take: nothing that arrived is lost, and memory stays flat.

Eight emulated SlimeVR trackers (npm's emulator) send at 100 Hz and lose 5 % of their packets on the way,
while `pallas record` writes them down. Prints, as JSON, what was sent, thrown away on purpose, recorded and
missing, and the recorder's memory after a minute and at the end.

    python benchmarks/soak.py [SECONDS]        half an hour unless told
"""

import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))
from node_peers import slimevr_emulators  # noqa: E402

from pallas.capture.session.raw_log import read_raw_log  # noqa: E402
from pallas.rig import quaternion  # noqa: E402

TRACKERS, RATE, LOSS = 8, 100.0, 0.05
SETTLED = 60.0  # seconds after which memory should not grow any more


def megabytes(process: subprocess.Popen[str]) -> float:
    """Resident memory of a process (Linux)."""
    lines = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii").splitlines()
    line = next(line for line in lines if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024.0


def dropped_by_system(port: int) -> int:
    """Datagrams that the system threw away because nobody fetched them in time (Linux)."""
    rows = [line.split() for line in Path("/proc/net/udp").read_text(encoding="ascii").splitlines()]
    return sum(int(row[-1]) for row in rows[1:] if row[1].endswith(f":{port:04X}"))


def wandering(seconds: float = 60.0) -> tuple[np.ndarray, np.ndarray]:
    """Orientations and accelerations of trackers that turn now this way, now that; played in a loop."""
    random = np.random.default_rng(0)
    times = np.arange(int(seconds * RATE))[:, None, None] / RATE
    speed, phase = random.uniform(0.1, 1.0, (2, 1, TRACKERS, 3))
    turns = quaternion.from_rotation_vector(np.sin(2.0 * np.pi * (speed * times + phase)))
    return turns, random.normal(size=(len(times), TRACKERS, 3))


def main() -> None:
    """Record, compare, print."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 1800.0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tempfile.TemporaryDirectory()
    take = Path(folder.name) / "soak.pallas"
    command = [sys.executable, "-m", "pallas.pallas_blender.cli", "record"]
    recorder = subprocess.Popen(
        [*command, f"slimevr:127.0.0.1:{port}", "-o", str(take)],
        stderr=subprocess.DEVNULL,
        text=True,
    )
    memory = []
    address, motion = ("127.0.0.1", port), wandering()
    with slimevr_emulators(address, *motion, RATE, loss=LOSS, loop=True) as emulators:
        emulators.start(120.0)
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            time.sleep(min(10.0, seconds))
            memory.append((time.monotonic() - began, megabytes(recorder)))
        thrown_away = dropped_by_system(port)
        emulators.stop(30.0)
    recorder.send_signal(signal.SIGINT)
    recorder.wait(60)
    log = read_raw_log(take)
    came = [int((log.readings["sender"] == log.senders.index(t)).sum()) for t in emulators.trackers]
    arrived = [s - d for s, d in zip(emulators.sent, emulators.dropped, strict=True)]
    settled = [size for at, size in memory if at >= SETTLED] or [memory[0][1]]
    found = {
        "seconds": seconds,
        "trackers": TRACKERS,
        "sent": sum(emulators.sent),
        "thrown away on purpose": sum(emulators.dropped),
        "recorded": sum(came),
        "neither thrown away nor recorded": sum(arrived) - sum(came),
        "datagrams that the system dropped": thrown_away,
        "megabytes after a minute": round(settled[0], 1),
        "megabytes at the end": round(settled[-1], 1),
        "megabytes of the take": round(take.stat().st_size / 1e6, 1),
    }
    print(json.dumps(found, indent=2))  # noqa: T201  its result
    folder.cleanup()


if __name__ == "__main__":
    main()
