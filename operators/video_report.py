"""The report of joint angles: the command line's, of the keypoints in space, in a process of its own."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import bpy

from ..capture.trc_writer import write_trc
from ..rig.errors import OutputError, SceneError
from ..rig.trajectories import MarkerTrajectories
from .video_job import Tell

if TYPE_CHECKING:
    from ..rig.solve.views import SolvedBody

__all__ = ["report_folder", "write_report"]

_TICK: Final = 0.1  # seconds between two looks at the process
_USUAL: Final = 10.0  # seconds that it takes, about
_NAME: Final = "report"


def report_folder(context: bpy.types.Context) -> Path:
    """The folder that the panel names; beside the file, or in Blender's temporary folder, if it names none.

    Raises:
        SceneError: it names one beside a file that isn't saved.
    """
    path = context.scene.pallas.video.folder
    if path.startswith("//") and not bpy.data.filepath:
        raise SceneError(
            f"{path} lies beside this file, which isn't saved yet; save it, or choose a folder"
        )
    if path:
        return Path(bpy.path.abspath(path))
    if bpy.data.filepath:
        saved = Path(bpy.data.filepath)
        return saved.with_name(f"{saved.stem} {_NAME}")
    return Path(bpy.app.tempdir) / _NAME


def write_report(
    measured: MarkerTrajectories, body: "SolvedBody", folder: Path, tell: Tell
) -> tuple[Path | None, str]:
    """Write keypoints.trc and the report beside it; this runs in a thread.

    Args:
        measured: keypoints in space.
        body: what was fitted to them.
        folder: where both go; an earlier report there is replaced.
        tell: is called while the report is written.

    Returns:
        The HTML file, and nothing; or none, and why there is no report: the motion is not lost for it.
    """
    tell("writing the report", 0.0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        markers = folder / "keypoints.trc"
        write_trc(markers, measured, force=True)
    except (OSError, OutputError) as error:
        return None, f"No report: {error}"
    command = [*_program(), "kinematics", str(markers), "-o", str(folder / _NAME), "--force"]
    command += ["--height", f"{body.height:.3f}"]
    told = _run(command, tell)
    found = sorted((folder / _NAME).glob("*.html"))
    return (
        (found[0], "")
        if found and told is None
        else (None, f"No report: {told or 'none was written'}")
    )


def _program() -> list[str]:
    """`pallas`: of this Blender, or of the Python that imported it as a module."""
    if bpy.app.binary_path:
        return [bpy.app.binary_path, "--command", "pallas"]
    root = __package__.rpartition(".")[0]
    start = f"import sys; from {root}.pallas_blender.cli import main; sys.exit(main(sys.argv[1:]))"
    return [sys.executable, "-c", start]


def _run(command: list[str], tell: Tell) -> str | None:
    """Run a program, and end it if nobody waits any more; None if it went well, else its last words."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as words:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=words)
        began = time.monotonic()
        try:
            while process.poll() is None:
                spent = time.monotonic() - began
                tell("writing the report", spent / (spent + _USUAL))
                time.sleep(_TICK)
        except BaseException:
            process.kill()
            process.wait()
            raise
        words.seek(0)
        lines = [line.strip() for line in words if line.strip()]
    return None if process.returncode == 0 else (lines or ["the process failed without a word"])[-1]
