"""Rendering datasets: our overhead over a bare Cycles render, set-up, speed, memory, Ray.

    python benchmarks/render.py [--frames 20] [--long 2000] [--ray]

256 by 256 pixels, 4 samples. Overhead is processor time, which other programs change little: the
same frames of the same scene with the same samples, once with `bpy.ops.render.render` alone, which writes
picture and passes as one EXR, and once with everything that a dataset has.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

import bpy

from pallas.render.dataset.clip import Clip, build_clip
from pallas.render.dataset.frames import render_frames
from pallas.render.dataset.passes import prepare
from pallas.render.dataset.run import open_store
from pallas.render.dataset.spec import Spec, parse_spec

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
[annotations]
passes = ["depth", "normal", "flow"]
"""


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--long", type=int, default=0, help="frames of the memory run")
    parser.add_argument("--ray", action="store_true", help="one local worker against two")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for kind, people in (("studio", 1), ("room", 1), ("room", 3), ("sky", 2)):
            spec = parse_spec(
                SPEC.format(frames=arguments.frames, kind=kind, people=people).encode()
            )
            _overhead(spec, Path(folder) / f"{kind}{people}", f"{kind}, people: {people}")
        if arguments.long:
            _memory(arguments.long, Path(folder) / "long")
        if arguments.ray:
            _ray(Path(folder))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _built(spec: Spec, folder: Path) -> tuple[Clip, object, float]:
    store, sources = open_store(spec, folder)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    began = time.process_time()
    clip = build_clip(spec, 1, sources, bpy.context.scene)
    return clip, store, time.process_time() - began


def _overhead(spec: Spec, folder: Path, told: str) -> None:
    """Both ways on the same scene, after a frame of each that warms Cycles up."""
    _built(spec, folder)[1].close()  # tables and files are read once
    clip, store, setup = _built(spec, folder)
    frames = range(1, spec.dataset.frames)
    prepare(clip, 1)
    clip.scene.cycles.use_denoising = spec.image.denoise
    clip.scene.cycles.denoising_quality, clip.scene.cycles.denoising_prefilter = "FAST", "NONE"
    path = folder / "bare.exr"
    clip.scene.render.filepath = str(path)
    bare = []
    for frame in (0, *frames):
        began = time.process_time()
        clip.scene.frame_set(frame + 1)
        bpy.ops.render.render(write_still=True)
        bare.append(time.process_time() - began)
    path.unlink()
    render_frames(clip, [0], store, threads=1)
    began, clock = time.process_time(), time.perf_counter()
    render_frames(clip, frames, store, threads=1)
    ours = (time.process_time() - began) / len(frames)
    wall = (time.perf_counter() - clock) / len(frames)
    alone = sum(bare[1:]) / len(frames)
    store.close()
    _say(
        f"{told:<20} set-up {setup:.2f} s; a frame {ours:.3f} s of one core, bare Cycles {alone:.3f} s: "
        f"{100 * (ours / alone - 1):.1f} % more; {1 / wall:.2f} frames a second here",
    )


def _memory(frames: int, folder: Path) -> None:
    """The process' peak after a tenth of the frames and after all, 32 pixels wide, 50 frames a clip."""
    text = SPEC.format(frames=50, kind="studio", people=1).replace("= 256", "= 32")
    spec = parse_spec(text.replace("clips = 3", f"clips = {frames // 50}").encode())
    store, sources = open_store(spec, folder)
    for clip in range(spec.dataset.clips):
        bpy.ops.wm.read_factory_settings(use_empty=True)
        built = build_clip(spec, clip, sources, bpy.context.scene)
        render_frames(built, range(50), store, threads=1)
        if clip in (spec.dataset.clips // 10, spec.dataset.clips // 2, spec.dataset.clips - 1):
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            _say(f"memory: peak {peak:.0f} MiB after {50 * (clip + 1)} frames")
    store.close()


def _ray(folder: Path) -> None:
    """The same dataset by one local worker and by two, each with one thread."""
    path = folder / "spec.toml"
    path.write_text(
        SPEC.format(frames=25, kind="studio", people=1).replace("clips = 3", "clips = 8")
    )
    seconds = []
    for workers in (1, 2):
        ray = import_module("ray")
        ray.init(num_cpus=workers, include_dashboard=False, logging_level="ERROR")
        address = ray.get_runtime_context().gcs_address
        command = [sys.executable, "-m", "pallas.pallas_blender.cli", "render", str(path)]
        began = time.perf_counter()
        subprocess.run(
            [*command, "-o", str(folder / f"ray{workers}"), "--ray", address, "--threads", "1"],
            check=True,
        )
        seconds.append(time.perf_counter() - began)
        ray.shutdown()
    _say(
        f"Ray: one worker {seconds[0]:.0f} s, two {seconds[1]:.0f} s: {seconds[0] / seconds[1]:.2f} times"
    )


if __name__ == "__main__":
    main()
