"""A scene that `benchmarks/render.py` saved, rendered and annotated by BlenderProc; prints seconds.

    python benchmarks/render_blenderproc.py SCENE.blend FOLDER FRAMES

The Python has bpy as a module, `pip install blenderproc`, and what BlenderProc installs into its Blender:
`pip install scipy h5py scikit-image opencv-contrib-python-headless imageio trimesh scikit-learn rich
gitpython pypng pytz`. BlenderProc means to be started within a Blender that it downloads; its set-up of
that is left out here, and no more.
"""

import os
import sys
import sysconfig
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace

os.environ["INSIDE_OF_THE_INTERNAL_BLENDER_PYTHON_ENVIRONMENT"] = "1"
_SETUP = "blenderproc.python.utility.SetupUtility"
sys.modules[_SETUP] = ModuleType(_SETUP)
sys.modules[_SETUP].SetupUtility = SimpleNamespace(
    main_setup_called=True,
    setup=lambda *_: sys.argv,
    setup_pip=lambda *_, **__: "",
    setup_utility_paths=lambda _: None,
)
sys.path.append(sysconfig.get_paths()["purelib"] + "/.")  # it takes the other one away

import blenderproc as bproc  # noqa: E402
import bpy  # noqa: E402
from blenderproc.python.renderer import RendererUtility  # noqa: E402
from blenderproc.python.utility.GlobalStorage import GlobalStorage  # noqa: E402
from blenderproc.python.utility.Initializer import _Initializer  # noqa: E402
from blenderproc.python.utility.Utility import Utility  # noqa: E402


def main() -> None:
    """Render, write HDF5 and COCO, and print seconds of processor time for each frame."""
    scene, folder, frames = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    Utility.temp_dir = str(folder / "temp")
    Path(Utility.temp_dir).mkdir(parents=True)
    bpy.ops.wm.open_mainfile(filepath=str(scene))
    samples = bpy.context.scene.cycles.samples
    bounces = bpy.context.scene.cycles.max_bounces
    _begin()
    bpy.context.scene.cycles.max_bounces = bounces
    bpy.context.scene.render.use_persistent_data = True
    bpy.context.scene.render.use_file_extension = True
    bproc.renderer.set_max_amount_of_samples(samples)
    bproc.renderer.set_noise_threshold(0)
    bproc.renderer.enable_normals_output()
    bproc.renderer.enable_depth_output(activate_antialiasing=False)
    for item in bproc.object.get_all_mesh_objects():
        item.set_cp("category_id", int(item.blender_obj.pass_index > 0))
    bproc.renderer.enable_segmentation_output(
        map_by=["category_id", "instance", "name"], default_values={"category_id": 0}
    )
    _render(folder, 1)
    began = time.process_time()
    _render(folder, frames)
    seconds = (time.process_time() - began) / frames
    sys.stdout.write(f"\nSECONDS {seconds:.4f} {bproc.__version__} {bpy.app.version_string}\n")


def _begin() -> None:
    """`bproc.init()` without emptying the file, and without the language, which bpy as a module lacks."""
    RendererUtility.set_render_devices()
    _Initializer.set_default_parameters()
    GlobalStorage.add("bproc_init_complete", True)


def _render(folder: Path, frames: int) -> None:
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 1, frames + 1  # the last isn't rendered
    data = bproc.renderer.render()
    bproc.writer.write_hdf5(str(folder / "hdf5"), data)
    bproc.writer.write_coco_annotations(
        str(folder / "coco"),
        instance_segmaps=data["instance_segmaps"],
        instance_attribute_maps=data["instance_attribute_maps"],
        colors=data["colors"],
    )


if __name__ == "__main__":
    main()
