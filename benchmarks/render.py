"""Rendering datasets: our overhead over a bare Cycles render, set-up, speed, memory.

    python benchmarks/render.py [--frames 12] [--long 2000] [--blenderproc PYTHON]

256 by 256 pixels, 4 samples. Overhead is processor time, which other programs change less than the clock's:
the same frames of the same scene with the same samples, with `bpy.ops.render.render` alone, which writes
picture and passes as one EXR, and with everything that a dataset has, in turns. Their difference changes by
several percent from run to run as Cycles itself does; "beside Cycles" is what our frames take outside of
Blender's render and change of frame, and changes little.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import bpy
import numpy as np

from pallas.render.dataset.clip import Clip, build_clip
from pallas.render.dataset.frames import render_frames
from pallas.render.dataset.passes import prepare
from pallas.render.dataset.run import open_store
from pallas.render.dataset.spec import Spec, parse_spec
from pallas.render.dataset.store import Store

ROUNDS = 2
SCENES = (("studio", 1, 1), ("room", 1, 1), ("room", 3, 1), ("sky", 2, 1), ("room", 2, 4))

SPEC = """
[dataset]
clips = 3
frames = {frames}
[image]
width = 256
height = 256
samples = 4
[people]
count = {people}
[scene]
surroundings = ["{kind}"]
[camera]
kind = "rig"
views = {views}
[annotations]
passes = ["depth", "normal", "flow"]
"""


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--long", type=int, default=0, help="frames of the memory run")
    parser.add_argument("--blenderproc", metavar="PYTHON", help="see render_blenderproc.py")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for kind, people, views in SCENES:
            text = SPEC.format(frames=arguments.frames, kind=kind, people=people, views=views)
            told = f"{kind}, people: {people}, views: {views}"
            _overhead(parse_spec(text.encode()), Path(folder) / f"{kind}{people}{views}", told)
        _blenderproc(arguments.blenderproc, arguments.frames, Path(folder))
        if arguments.long:
            _memory(arguments.long, Path(folder) / "long")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _built(spec: Spec, folder: Path) -> tuple[Clip, Store, float]:
    store, sources = open_store(spec, folder)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    began = time.process_time()
    clip = build_clip(spec, 1, sources, bpy.context.scene)
    return clip, store, time.process_time() - began


def _overhead(spec: Spec, folder: Path, told: str) -> None:
    """Both ways on the same scene, picture by picture in turns; what we add is the median over all pairs."""
    _built(spec, folder)[1].close()  # tables and files are read once
    clip, store, setup = _built(spec, folder)
    # Each round's first frame warms up.
    pairs = np.concatenate([_in_turns(clip, store, folder)[1:] for _ in range(ROUNDS)])
    store.close()
    bare, ours, beside = pairs.T / len(clip.cameras)
    low, own, high = np.percentile(100.0 * beside / np.median(bare), (25, 50, 75))
    more = 100.0 * np.median(ours - bare) / np.median(bare)
    _say(
        f"{told:<28} set-up {setup:.2f} s; a picture {np.median(ours):.3f} s of one core, bare Cycles "
        f"{np.median(bare):.3f} s: {more:.1f} % more; beside Cycles {1e3 * np.median(beside):.0f} ms, "
        f"{own:.1f} % ({low:.1f} to {high:.1f} in half of the {len(pairs)} frames)"
    )


def _in_turns(clip: Clip, store: Store, folder: Path) -> np.ndarray:
    """(F, 3) seconds of processor time of every frame, all views: bare, ours, and ours beside Cycles.

    `render_frames` asks for the next frame when it is done with one; in between Cycles has its turn, now
    before the same frame, now after it.
    """
    found = np.zeros((clip.spec.dataset.frames, 3))
    inside = _Inside()

    def frames() -> Iterator[int]:
        for frame in range(len(found)):
            if frame % 2:
                found[frame, 0] = _bare(clip, frame, folder)
            began, inside.seconds = time.process_time(), 0.0
            yield frame
            found[frame, 1] = time.process_time() - began
            found[frame, 2] = found[frame, 1] - inside.seconds
            if not frame % 2:
                found[frame, 0] = _bare(clip, frame, folder)

    render_frames(clip, frames(), store, threads=1)
    inside.close()
    return found


class _Inside:
    """Counts the processor time in which Blender goes to a frame or renders: what a bare render does too."""

    def __init__(self) -> None:
        self.seconds, self._began, self._deep = 0.0, 0.0, 0
        ours, at = (self._begin, self._end), bpy.app.handlers
        self._lists = (
            at.frame_change_pre,
            at.frame_change_post,
            at.render_init,
            at.render_complete,
        )
        for own, handlers in zip(ours * 2, self._lists, strict=True):
            handlers.append(own)

    def _begin(self, *_: object) -> None:
        if not self._deep:  # a render goes to frames too, for the way of each point
            self._began = time.process_time()
        self._deep += 1

    def _end(self, *_: object) -> None:
        self._deep -= 1
        if not self._deep:
            self.seconds += time.process_time() - self._began

    def close(self) -> None:
        """Count no more."""
        for handlers in self._lists:
            handlers.pop()


def _bare(clip: Clip, frame: int, folder: Path) -> float:
    """Seconds of processor time that Cycles takes for a frame's pictures with their passes."""
    paths = [folder / f"bare{view}.exr" for view in range(len(clip.cameras))]
    began = time.process_time()
    clip.scene.frame_set(frame + 1)
    for camera, path in zip(clip.cameras, paths, strict=True):
        if clip.scene.camera != camera:
            clip.scene.camera = camera
        clip.scene.render.filepath = str(path)
        bpy.ops.render.render(write_still=True)
    seconds = time.process_time() - began
    for path in paths:
        path.unlink()
    return seconds


def _ours(clip: Clip, store: Store) -> list[float]:
    """Seconds of processor time of every frame, all its views and files included."""
    times = [time.process_time()]
    render_frames(
        clip,
        range(clip.spec.dataset.frames),
        store,
        threads=1,
        tell=lambda: times.append(time.process_time()),
    )
    return np.diff(times).tolist()


def _blenderproc(python: str | None, frames: int, folder: Path) -> None:
    """The same scene, camera and samples with picture, depth, normals and masks by BlenderProc, and by us."""
    if python is None:
        _say("BlenderProc: not compared; name a Python that has it with --blenderproc")
        return
    text = SPEC.format(frames=frames, kind="studio", people=1, views=1).replace(', "flow"', "")
    clip, store, _ = _built(parse_spec(text.encode()), folder / "beside")
    prepare(clip, 1)
    scene = folder / "scene.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(scene))
    script = Path(__file__).with_name("render_blenderproc.py")
    command = [python, str(script), str(scene), str(folder / "blenderproc"), str(frames)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    ours = np.min([_ours(clip, store) for _ in range(ROUNDS)], axis=0).mean()
    store.close()
    found = [line.split() for line in told.stdout.splitlines() if line.startswith("SECONDS")]
    if not found:
        last = (told.stderr.strip().splitlines() or ["it said nothing"])[-1]
        _say(f"BlenderProc: can't run: {last}")
        return
    _, seconds, version, blender, *_ = found[0]
    _say(
        f"BlenderProc {version} (Blender {blender}): a frame of a studio with its masks, depth and normals "
        f"{float(seconds):.2f} s of one core; ours, with all points too, {ours:.2f} s"
    )


def _memory(frames: int, folder: Path) -> None:
    """What the process holds after a tenth of the frames, half and all: 32 pixels wide, 50 frames a clip."""
    text = SPEC.format(frames=50, kind="studio", people=1, views=1).replace("= 256", "= 32")
    spec = parse_spec(text.replace("clips = 3", f"clips = {frames // 50}").encode())
    store, sources = open_store(spec, folder)
    told = {max(share * frames // 50, 1) - 1 for share in (0.1, 0.5, 1)}
    for clip in range(spec.dataset.clips):
        bpy.ops.wm.read_factory_settings(use_empty=True)
        render_frames(
            build_clip(spec, clip, sources, bpy.context.scene), range(50), store, threads=1
        )
        if clip in told:
            _say(f"memory: {_resident():.0f} MiB after {50 * (clip + 1)} frames")
    store.close()


def _resident() -> float:
    """MiB that the process holds; where the system doesn't say, the most it ever held."""
    pages = Path("/proc/self/statm")
    if pages.is_file():
        return int(pages.read_text().split()[1]) * resource.getpagesize() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


if __name__ == "__main__":
    main()
