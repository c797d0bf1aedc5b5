"""Fixtures that every room's tests share."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
_STATUS = pytest.StashKey[int]()


def pytest_sessionfinish(session, exitstatus):
    session.config.stash[_STATUS] = int(exitstatus)


def pytest_unconfigure(config):
    """Leave at once where Blender was loaded: 4.5's module may wait for itself for ever at Python's end."""
    if "bpy" in sys.modules and _STATUS in config.stash:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(config.stash[_STATUS])


@pytest.fixture(scope="session")
def data() -> Callable[[str], Path]:
    """Find a file of the shared data under PALLAS_DATA (default ../shared/data), or skip."""
    folder = Path(os.environ.get("PALLAS_DATA", ROOT.parent / "shared" / "data"))

    def find(name: str) -> Path:
        path = folder / name
        if not path.exists():
            if folder.is_dir():
                pytest.fail(f"{folder} is there but lacks {name}")
            pytest.skip(f"shared data not found: no folder {folder} (set PALLAS_DATA)")
        return path

    return find


@pytest.fixture
def scene():
    """An empty scene of Blender's."""
    bpy = pytest.importorskip("bpy")
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return bpy.context.scene
