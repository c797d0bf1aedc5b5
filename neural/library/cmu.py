"""The CMU Graphics Lab motion capture library: ASF/AMC pairs, and BVH conversions where those are lost."""

import csv
import tarfile
import tempfile
from collections.abc import Collection
from pathlib import Path

import numpy as np

from ...capture.asf_amc import read_amc
from ...capture.bvh import read_bvh
from ...rig.errors import FileError, FormatError, PallasError
from ...rig.joint_maps import JOINT_MAPS
from ...rig.motion import Motion
from ...rig.transfer import body_from_motion, bone_errors
from .mend import mended, restored_cmu_bvh, without_pose_frame
from .take import Take, Takes

__all__ = ["cmu_takes"]

LICENCE = "CMU: free for use in research and commercial projects worldwide"
RETARGETED_WEIGHT = 0.3
_DAZ_BLEND = 0.15  # seconds that the pose frame is smeared over
LARGEST_BONE_ERROR = np.radians(1.0)


def cmu_takes(folder: Path, only: Collection[str] = ()) -> Takes:
    """The clips of `cmu.tar.xz` that `cmu_index.csv` lists, subject by subject.

    Args:
        folder: where both files are.
        only: names such as "cmu/02_01"; all if empty.

    Raises:
        FileError: a file is missing or damaged.
    """
    archive, index = folder / "cmu.tar.xz", folder / "cmu_index.csv"
    if not archive.is_file() or not index.is_file():
        return
    with index.open(newline="", encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if not only or f"cmu/{r['clip']}" in only]
    with tempfile.TemporaryDirectory() as temporary:
        _unpack(archive, Path(temporary), [] if not only else rows)
        for row in sorted(rows, key=lambda row: row["clip"]):
            yield _take(Path(temporary), row)


def _unpack(archive: Path, target: Path, rows: list[dict[str, str]]) -> None:
    """Everything, or what `rows` need: then reading stops at the last of them."""
    wanted: set[str] = set()
    for row in rows:
        subject = row["clip"].split("_")[0]
        wanted |= {f"{subject}/{row['clip']}.{row['format']}"}
        wanted |= {f"{subject}/{subject}.asf"} if row["format"] == "amc" else set()
    try:
        with tarfile.open(archive, "r|xz") as tar:
            for member in tar:
                name = "/".join(Path(member.name).parts[-2:])
                if not rows or name in wanted:
                    _extract(tar, member, target)
                    wanted.discard(name)
                if rows and not wanted:
                    return
    except (tarfile.TarError, EOFError, OSError) as error:
        raise FileError(f"{archive} can't be unpacked: {error}; fetch it again") from error


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    """Plain files inside `target` only; tarfile's own filter for that came with Python 3.11.4."""
    path = (target / member.name).resolve()
    content = tar.extractfile(member) if member.isfile() else None
    if content is None or not path.is_relative_to(target.resolve()):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.read())


def _take(folder: Path, row: dict[str, str]) -> Take:
    clip = row["clip"]
    subject = clip.split("_")[0]
    motion, problem, touched, retargeted = None, "", 0, False
    try:
        source = _read(folder, row)
        retargeted = "rThigh" in source.skeleton.names  # on the figure of DAZ Studio
        motion, touched, problem = _body(source)
    except PallasError as error:
        problem = str(error).replace(str(folder), "cmu")
    return Take(
        f"cmu/{clip}", f"cmu/{subject}", row["source"], LICENCE, motion, problem,
        RETARGETED_WEIGHT if retargeted else 1.0, retargeted, touched,
    )  # fmt: skip


def _read(folder: Path, row: dict[str, str]) -> Motion:
    clip, fps = row["clip"], float(row["true_fps"])
    subject = clip.split("_")[0]
    path = _find(folder, f"{clip}.{row['format']}")
    if row["format"] == "amc":
        return read_amc(_find(folder, f"{subject}.asf"), path, fps=fps)
    if "rThigh" in path.read_text(encoding="utf-8")[:9000]:
        return without_pose_frame(read_bvh(path, fps=fps, unit="cm"), _DAZ_BLEND)
    return restored_cmu_bvh(without_pose_frame(read_bvh(path, fps=fps, unit="cmu")))


def _find(folder: Path, name: str) -> Path:
    for path in folder.rglob(name):
        return path
    raise FormatError(f"the archive holds no {name}")


def _body(source: Motion) -> tuple[Motion, int, str]:
    """The body's motion, how many frames were mended, and what is wrong with it."""
    joint_map = "cmu_asf" if "lfemur" in source.skeleton.names else "cmu_bvh"
    joint_map = "cmu_daz" if "rThigh" in source.skeleton.names else joint_map
    body = body_from_motion(source, joint_map)
    errors = bone_errors(source, body, JOINT_MAPS[joint_map])
    worst = max(errors, key=lambda joint: float(errors[joint].max()))
    angle = float(errors[worst].max())
    problem = ""
    if angle > LARGEST_BONE_ERROR:
        problem = f"the bone of {worst} is {np.degrees(angle):.1f} degrees off its source"
    whole, touched = mended(body)
    return whole, touched, problem
