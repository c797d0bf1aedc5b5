"""Datasets small enough for tests, and the hashes of their files."""

import hashlib
import subprocess
import sys
import time
from pathlib import Path

TINY = """
[dataset]
clips = 2
frames = 2
fps = 10
[image]
width = 48
height = 40
samples = 1
denoise = false
format = "png"
[people]
count = 1
motions = ["poses"]
[camera]
distance = [2.2, 2.6]
height = 1.2
[scene]
surroundings = ["studio"]
[annotations]
passes = ["depth"]
[imu]
placements = ["waist"]
[output]
shard_images = 3
"""


def hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every file under a folder, by name."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def killed_after_a_frame(spec: Path, out: Path) -> int:
    """Begin to render in a process of its own, kill it when a frame is done; returns how many were."""
    command = [
        sys.executable,
        "-m",
        "pallas.pallas_blender.cli",
        "render",
        str(spec),
        "-o",
        str(out),
    ]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([*command, "--threads", "1"], **quiet) as process:
        while not list(out.glob("frames/*/*.json")) and process.poll() is None:
            time.sleep(0.01)
        process.kill()
    return len(list(out.glob("frames/*/*.json")))
