"""`pallas retarget`: motions onto a character, one file each."""

import argparse
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ...capture.smpl_model import read_smpl_model
from ...capture.sources import SOURCE_SUFFIXES, read_source
from ...rig.errors import FileError, OutputError, PallasError
from ...rig.retarget.map_file import load_map
from ...rig.retarget.matching import match_bones
from ...rig.retarget.result import RetargetOptions
from ..console import Console
from ._shared import add_force, checked_input

if TYPE_CHECKING:
    from ...rig.retarget import BoneMap, Bones, SourceMotion

__all__ = ["EXAMPLE", "HELP", "add_arguments", "run"]

HELP = "Put motions on a character."
EXAMPLE = "pallas retarget walk.bvh --rig character.blend -o walk.blend"

_OUT: Final = (".blend", ".fbx", ".glb", ".bvh")
_IMPORTED: Final = (".fbx", ".glb", ".gltf", ".vrm")
_CONTACTS: Final = {"off": "off", "feet": "feet", "feet+hands": "feet and hands"}
_ROOTS: Final = {"hips": "hips", "bone": "bone", "in-place": "in place"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "motions",
        metavar="MOTION",
        nargs="+",
        type=Path,
        help="BVH, FBX, glTF, npz (ours, AMASS), results of GVHMR, WHAM, TRAM; or a folder of them",
    )
    parser.add_argument(
        "--rig",
        required=True,
        type=Path,
        metavar="FILE",
        help="character: .blend, .fbx, .glb, .vrm",
    )
    parser.add_argument(
        "-o",
        "--out",
        required=True,
        type=Path,
        help="file for one motion: .blend, .fbx, .glb, .bvh; folder for several",
    )
    parser.add_argument(
        "--format", choices=[s[1:] for s in _OUT], default="blend", help="in a folder (blend)"
    )
    parser.add_argument(
        "--armature", default="", metavar="NAME", help="of several in the rig's file"
    )
    parser.add_argument(
        "--map",
        type=Path,
        metavar="MAP.json",
        help="what the character's bones do (found by itself)",
    )
    parser.add_argument(
        "--source-map", type=Path, metavar="MAP.json", help="what the motion's bones do (found)"
    )
    parser.add_argument(
        "--contacts", choices=list(_CONTACTS), default="feet", help="what keeps its place (feet)"
    )
    parser.add_argument(
        "--root", choices=list(_ROOTS), default="hips", help="what carries the character (hips)"
    )
    parser.add_argument(
        "--fps", type=float, metavar="N", help="of the motion, instead of the file's"
    )
    parser.add_argument("--person", metavar="ID", help="of a file with several (seen longest)")
    parser.add_argument("--clip", metavar="NAME", help="of an FBX or glTF with several Actions")
    parser.add_argument(
        "--body",
        type=Path,
        metavar="MODEL",
        help="your SMPL, SMPL-H or SMPL-X model (npz, pkl) that the motion's person has",
    )
    parser.add_argument(
        "--controls", choices=("ik", "fk"), default="ik", help="arms and legs of a Rigify rig (ik)"
    )
    add_force(parser)


def run(arguments: argparse.Namespace, console: Console) -> dict[str, object]:
    """Retarget every motion; a bad one is told, and the others go on.

    Raises:
        PallasError: the rig can't be used, or some motions failed.
    """
    checked_input(arguments.rig)
    motions = list(_found(arguments.motions))
    outs = _outs(arguments, motions)
    done: list[dict[str, object]] = []
    failed: dict[str, str] = {}
    with _rig(arguments, console) as rig, console.progress("retargeting", len(motions)) as bar:
        for motion, out in zip(motions, outs, strict=True):
            try:
                done.append(_one(arguments, motion, out, console, rig))
                console.say(f"{out}: {done[-1]['frames']} frames in {done[-1]['seconds']:.1f} s")
            except PallasError as error:
                if len(motions) == 1:
                    raise
                failed[str(motion)] = str(error)
                named = str(error).startswith(str(motion))
                console.note(f"pallas: {error}" if named else f"pallas: {motion}: {error}")
            bar.advance()
    if failed:
        told = ", ".join(failed)
        raise PallasError(f"{len(failed)} of {len(motions)} motions failed: {told}")
    return {"rig": str(arguments.rig), "motions": done}


@contextmanager
def _rig(arguments: argparse.Namespace, console: Console) -> Iterator[Path]:
    """The character as a .blend: its own, or one into which it is imported once."""
    from ...scene.character_files import open_character
    from ...scene.files import save_copy

    rig: Path = arguments.rig
    if rig.suffix.lower() == ".blend":
        yield rig
        return
    with tempfile.TemporaryDirectory() as folder:
        imported = Path(folder) / f"{rig.stem}.blend"
        with console.quiet(), console.progress("character"):
            open_character(rig, arguments.armature)
            save_copy(imported)
        yield imported


def _one(
    arguments: argparse.Namespace, motion: Path, out: Path, console: Console, rig: Path
) -> dict[str, object]:
    """One motion onto the character in the file `rig`, into a file of its own."""
    import bpy

    from ...scene.character_files import open_character, save_character
    from ...scene.linked import overridden
    from ...scene.retarget_target import read_target
    from ...scene.retargeting import Task, retargeted_keys, write_retargeted

    began = time.perf_counter()
    with console.quiet():
        source = _source(motion, arguments)
        source_map = _map(arguments.source_map, source.bones)
        character = open_character(rig, arguments.armature)
        _set_rate(arguments.rig, source)
        character = overridden(character, bpy.context)
        target = read_target(character)
        task = Task(
            source,
            source_map,
            target,
            _map(arguments.map, target.bones),
            RetargetOptions(contacts=_CONTACTS[arguments.contacts], root=_ROOTS[arguments.root]),
            arguments.controls,
        )
        action = write_retargeted(character, retargeted_keys(task), source.name or motion.stem)
        _extend_scene(action.frame_range)
        save_character(out, character, force=arguments.force)
    return {
        "motion": str(motion),
        "out": str(out),
        "frames": len(source),
        "fps": source.fps,
        "unmapped": list(task.target_map.unmapped),
        "seconds": round(time.perf_counter() - began, 2),
    }


def _source(motion: Path, arguments: argparse.Namespace) -> "SourceMotion":
    checked_input(motion)
    fps, person = arguments.fps, arguments.person
    if motion.suffix.lower() not in _IMPORTED:
        model = None if arguments.body is None else read_smpl_model(checked_input(arguments.body))
        return read_source(motion, fps=fps, person=person, model=model)
    import bpy

    from ...scene.importing import read_motion_file

    bpy.ops.wm.read_factory_settings(use_empty=True)
    return read_motion_file(motion, fps=fps, clip=arguments.clip)


def _map(path: Path | None, bones: "Bones") -> "BoneMap":
    return match_bones(bones) if path is None else load_map(path, bones)


def _set_rate(rig: Path, source: "SourceMotion") -> None:
    """A .blend keeps its frame rate; a character from another file has none, so it gets the motion's."""
    import bpy

    if rig.suffix.lower() == ".blend":
        return
    render = bpy.context.scene.render
    render.fps = max(round(source.fps), 1)
    render.fps_base = render.fps / source.fps


def _extend_scene(span: Iterable[float]) -> None:
    import bpy

    scene, (_, last) = bpy.context.scene, span
    scene.frame_end = max(scene.frame_end, round(last))


def _found(given: list[Path]) -> Iterable[Path]:
    """The motions: files as they are, of folders those with a motion's suffix, by name.

    Raises:
        FileError: a folder has none.
    """
    for path in given:
        if not path.is_dir():
            yield path
            continue
        suffixes = {*SOURCE_SUFFIXES, *_IMPORTED}
        inside = sorted(p for p in path.iterdir() if p.suffix.lower() in suffixes and p.is_file())
        if not inside:
            raise FileError(
                f"{path} holds no motion; expected files ending in {', '.join(sorted(suffixes))}"
            )
        yield from inside


def _outs(arguments: argparse.Namespace, motions: list[Path]) -> list[Path]:
    """Where each goes: OUT itself, or a file named after it in the folder OUT, which is made if need be.

    Raises:
        OutputError: OUT is a file's name and there are several motions, or the folder can't be made.
    """
    out: Path = arguments.out
    if out.suffix.lower() in _OUT and not out.is_dir():
        if len(motions) > 1 or arguments.motions[0].is_dir():
            raise OutputError(
                f"{out} is one file, and there are {len(motions)} motions; name a folder"
            )
        return [out]
    if out.suffix and not out.is_dir():
        raise OutputError(f"{out} ends in {out.suffix}; expected {', '.join(_OUT)}, or a folder")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"the folder {out} can't be made: {error.strerror}") from error
    outs = [out / f"{motion.stem}.{arguments.format}" for motion in motions]
    doubled = {path for path in outs if outs.count(path) > 1}
    if doubled:
        raise OutputError(f"several motions are named {doubled.pop().stem!r}; rename one of them")
    return outs
