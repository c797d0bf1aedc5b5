"""Rendering a dataset on Ray: one worker of one thread against two, on this machine.

    python benchmarks/render_ray.py [--rounds 3] [--clips 8] [--frames 12]

256 by 256 pixels, 4 samples. Both take turns on the same spec, and the medians count: of the whole command,
Ray's and Blender's start included, and of the frames alone, from the first one's record to the last one's.
Needs two processor cores that do nothing else: `processor` is the time that the Blenders had of them, their
start included, and what it would allow.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import ray

SPEC = """
[dataset]
clips = {clips}
frames = {frames}
[image]
samples = 4
[scene]
surroundings = ["studio"]
[annotations]
passes = ["depth", "normal", "flow"]
"""


def main() -> None:
    """Measure and print a line for each count of workers, and how they compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clips", type=int, default=8)
    parser.add_argument("--frames", type=int, default=12, help="of each clip")
    arguments = parser.parse_args()
    measured: dict[str, dict[int, list[float]]] = {
        name: {1: [], 2: []} for name in ("command", "frames", "processor")
    }
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder) / "spec.toml"
        spec.write_text(SPEC.format(clips=arguments.clips, frames=arguments.frames))
        for turn in range(arguments.rounds):
            for workers in (1, 2):
                seconds = _rendered(spec, Path(folder) / f"{turn}{workers}", workers)
                for name, value in seconds.items():
                    measured[name][workers].append(value)
                told = "  ".join(f"{name} {value:.1f} s" for name, value in seconds.items())
                _say(f"workers: {workers}  {told}")
    for name, seconds in measured.items():
        one, two = (statistics.median(seconds[workers]) for workers in (1, 2))
        times = one / two * (2 if name == "processor" else 1)
        _say(f"{name:<9}  one worker {one:.1f} s, two {two:.1f} s: {times:.2f} times")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _rendered(spec: Path, out: Path, workers: int) -> dict[str, float]:
    """Seconds of the command, of its frames, and of processor time."""
    ray.init(num_cpus=workers, include_dashboard=False, logging_level="ERROR")
    address = ray.get_runtime_context().gcs_address
    command = [sys.executable, "-m", "pallas.pallas_blender.cli", "render", str(spec)]
    command += ["-o", str(out), "--ray", address, "--threads", "1"]
    began = time.perf_counter()
    try:
        used = 0.0
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            while process.poll() is None:
                used = max(used, _processor_seconds(out))
                time.sleep(0.2)
        if process.returncode:
            raise SystemExit(process.returncode)
        seconds = time.perf_counter() - began
    finally:
        ray.shutdown()
    ends = sorted(record.stat().st_mtime for record in out.glob("frames/*/*.json"))
    return {"command": seconds, "frames": ends[-1] - ends[0], "processor": used}


def _processor_seconds(out: Path) -> float:
    """Of all workers' Blenders so far, their start included; 0 where a system doesn't tell."""
    total = 0.0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes()
            times = (process / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if b"--serve" in line and str(out).encode() in line:
            total += (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")
    return total


if __name__ == "__main__":
    main()
