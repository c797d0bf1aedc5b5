"""A story in a real window of the newest Blender, and what is on the screen then.

A test module has its own `folder` fixture: it puts what its story needs into a new folder and calls `play`.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pallas.pallas_blender.commands.demo import TAKE

ROOT = Path(__file__).resolve().parents[2]
WINDOW = ROOT / "dev" / "window"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pallas"
CANNOT = 75  # exit code of dev/window/run where the machine can't run a window


@pytest.fixture(scope="session")
def extension(tmp_path_factory):
    """The zip as a stranger would install it."""
    folder = tmp_path_factory.mktemp("zip")
    command = [sys.executable, str(ROOT / "dev" / "zip"), "--output-dir", str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    return next(folder.glob("*.zip"))


@pytest.fixture(scope="session")
def play(extension):
    """Tell a story of dev/window in a folder, which then holds what it left; keep a picture where asked."""

    def told(driver, work, picture, keep):
        shutil.copy(extension, work / "pallas.zip")
        shutil.copy(TAKE, work / "take.pallas")  # what every session solves on the command line
        shutil.copy(WINDOW / driver, work / "drive.py")
        shutil.copy(WINDOW / "stage.py", work)
        command = [str(WINDOW / "run"), str(CACHE / "sid"), str(work)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == CANNOT:
            cannot(done.stderr.strip().splitlines()[-1])
        assert done.returncode == 0, done.stdout + done.stderr
        assert (work / "found.json").exists(), done.stdout + done.stderr
        if target := os.environ.get(keep):  # to be looked at, or put into docs/
            shutil.copy(work / picture, target)
        return work

    return told


def cannot(reason):
    """The window tier is for machines that can; only CI must."""
    if os.environ.get("PALLAS_CI") == "1":
        pytest.fail(f"CI must run the window tier: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="module")
def found(folder):
    return json.loads((folder / "found.json").read_text())


@pytest.fixture(scope="module")
def screen(folder):
    """(height, width, 3) of the screen in one of the story's pictures, a binary PPM."""

    def pixels(name):
        content = (folder / f"{name}.ppm").read_bytes()
        magic, width, height, most = content.split(maxsplit=4)[:4]
        assert (magic, most) == (b"P6", b"255")
        size = int(width) * int(height) * 3
        held = np.frombuffer(content[-size:], dtype=np.uint8)
        return held.reshape(int(height), int(width), 3).astype(int)

    return pixels


@pytest.fixture(scope="module")
def part(screen, found):
    """(height, width, 3) of the view or the sidebar; Blender counts from the bottom of its window."""

    def pixels(name, region):
        picture = screen(name)
        left, bottom, width, height = found["place"][region]
        below = picture.shape[0] - found["window height"] if found["window height"] else 0
        top = max(picture.shape[0] - below - bottom - height, 0)
        return picture[top : top + height, left : left + width]

    return pixels
