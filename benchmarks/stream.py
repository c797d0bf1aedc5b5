"""How long a live frame takes, and whether memory grows: sensors in, a whole pose with standing feet out.

Run with `python benchmarks/stream.py [FRAMES]` on one core; 200,000 frames, nearly an hour at 60 Hz, unless
told. The processor's time is what a frame takes where nothing else runs. Beside it stands the floor that
no code can go below on this machine: the network's matrix products alone, each done once per frame. The
last line compares what the network says of the same ten seconds at the beginning and after all frames.
"""

import resource
import sys
import time
from pathlib import Path

import numpy as np
import torch

from pallas.capture.formats import read_recording
from pallas.neural.live.encoder_step import EncoderStep
from pallas.neural.live.stream import Stream
from pallas.neural.weights import EMBEDDED, load_network
from pallas.pallas_blender.commands.demo import TAKE
from pallas.rig import quaternion

FRAMES = 200_000
WARM = 600  # frames before anything is measured
PAGE = resource.getpagesize()


def main() -> None:
    """Print milliseconds a frame, megabytes at start and end, and how far the last round is off."""
    torch.set_num_threads(1)
    frames = int(sys.argv[1]) if len(sys.argv) > 1 else FRAMES
    network, _ = load_network(EMBEDDED / "pallas")
    bones, felt = sensed()
    stream = Stream(network)
    for frame in range(WARM):
        stream.push(bones[frame % len(bones)], felt[frame % len(bones)])
    took, worked = np.empty(frames), np.empty(frames)
    before = resident()
    for frame in range(frames):
        place = frame % len(bones)
        started, busy = time.perf_counter(), time.thread_time()
        stream.push(bones[place], felt[place])
        took[frame], worked[frame] = time.perf_counter() - started, time.thread_time() - busy
    say("live frame", took)
    say("the same, processor", worked)
    say("matrix products alone", floor(network))
    sys.stdout.write(
        f"memory: {before:.1f} MB after {WARM} frames, {resident():.1f} MB at the end\n"
    )
    sys.stdout.write(
        f"same input, {frames} frames later: {repeated(network, bones, felt, frames):.1e}\n"
    )


def say(label: str, seconds: np.ndarray) -> None:
    """One line of percentiles."""
    p50, p95, p99 = 1e3 * np.percentile(seconds, [50, 95, 99])
    sys.stdout.write(f"{label:<22} p50 {p50:6.3f} ms  p95 {p95:6.3f} ms  p99 {p99:6.3f} ms\n")


def sensed() -> tuple[np.ndarray, np.ndarray]:
    """world_from_bone and accelerations of the demo take."""
    recording = read_recording(TAKE)
    turned = quaternion.conjugate(recording.bone_from_sensor)
    return quaternion.multiply(recording.world_from_sensor, turned), np.array(
        recording.acceleration
    )


def floor(network: torch.nn.Module) -> np.ndarray:
    """Seconds of every layer's product, with as many rows as a frame has for it."""
    encoder = network.get_submodule("encoder")
    products = []
    for name, parameter in network.named_parameters():
        if parameter.ndim == 2 and name.endswith("weight"):
            per_sensor = name.startswith("encoder.blocks") or name == "encoder.embed.weight"
            rows = encoder.config.n_sensors if per_sensor else 1
            products.append(
                (torch.randn(rows, parameter.shape[1]), parameter.detach().T.contiguous())
            )
    took = []
    with torch.inference_mode():
        for _ in range(2000):
            started = time.thread_time()
            for row, weight in products:
                torch.mm(row, weight)
            took.append(time.thread_time() - started)
    return np.array(took[100:])


def resident() -> float:
    """Megabytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE / 1e6


def repeated(network: torch.nn.Module, bones: np.ndarray, felt: np.ndarray, frames: int) -> float:
    """Largest change of the network's numbers between the first rounds and those `frames` later."""
    rounds = []
    for start in (0, frames):
        stream = Stream(network)
        stream.encoder = EncoderStep(network.get_submodule("encoder"), start)
        said = [stream.predict(b, a).sixd for b, a in zip(bones, felt, strict=True)]
        rounds.append(np.array(said))
    return float(np.abs(rounds[0] - rounds[1]).max())


if __name__ == "__main__":
    main()
