"""`pallas doctor`: what works on this machine."""

import argparse
import os
import platform
import shutil
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version as installed
from importlib.util import find_spec
from pathlib import Path

from ..console import Console

__all__ = ["EXAMPLE", "HELP", "add_arguments", "run"]

HELP = "Say what works on this machine."
EXAMPLE = "pallas doctor --json"

_ROOT = Path(__file__).resolve().parents[2]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments: none of its own."""


def run(arguments: argparse.Namespace, console: Console) -> dict[str, object]:
    """Look at each part; a part that is missing is a finding, not an error."""
    checks: dict[str, Callable[[], str]] = {
        "numpy": lambda: _library("numpy"),
        "torch": _torch,
        "weights": _weights,
        "blender": _blender,
        "video": _video,
        "data": _data,
    }
    found: dict[str, object] = {
        "python": f"{platform.python_version()} ({sys.executable})",
        "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
    }
    missing = []
    for name, check in checks.items():
        try:
            found[name] = check()
        except (ImportError, OSError, LookupError) as error:
            found[name] = f"missing: {error}"
            missing.append(name)
    can = {
        "solve": not {"numpy", "torch", "weights"} & set(missing),
        "demo": not {"numpy", "torch", "weights", "blender"} & set(missing),
    }
    console.table(found)
    console.table(
        {f"pallas {name}": "works" if works else "can't run" for name, works in can.items()}
    )
    return {"found": found, "missing": missing, "works": can}


def _library(name: str) -> str:
    module = import_module(name)
    return str(getattr(module, "__version__", "")) or installed(name)


def _torch() -> str:
    import torch

    device = "CUDA GPU" if torch.cuda.is_available() else "CPU"
    return f"{torch.__version__}, {device}, {torch.get_num_threads()} threads"


def _weights() -> str:
    files = sorted((_ROOT / "neural").glob("*/*.safetensors"))
    if not files:
        raise LookupError("no weights in the package; install PALLAS again")
    return ", ".join(f"{file.stem} ({file.stat().st_size / 1e6:.1f} MB)" for file in files)


def _blender() -> str:
    import bpy

    where = "this Blender" if bpy.app.binary_path else "as a Python module"
    return f"{bpy.app.version_string}, {where}"


def _video() -> str:
    """What decodes videos; previews are encoded by Blender itself."""
    if find_spec("av"):
        return f"PyAV {installed('av')}"
    program = shutil.which("ffmpeg")
    if program is None:
        raise LookupError("neither PyAV nor ffmpeg is installed (only videos need one)")
    return program


def _data() -> str:
    """The folder that training and the tests on real data read."""
    given = os.environ.get("PALLAS_DATA")
    folder = Path(given) if given else _ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        what = f"no folder {folder}" if given else "PALLAS_DATA is not set"
        raise LookupError(f"{what} (only training needs it)")
    return str(folder)
