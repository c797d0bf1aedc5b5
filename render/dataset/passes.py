"""One Cycles render a frame: the picture in linear light, and what each pixel shows of the scene."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import bpy
import numpy as np

from ...capture.cameras.camera import Camera
from ...rig.arrays import Array
from ...rig.errors import DeviceError, FileError, OutputError
from .clip import SENSOR, Clip
from .draws import generator
from .exr import read_exr
from .spec import Image

__all__ = ["Passes", "camera_now", "check_machine", "prepare", "render_passes"]

_LAYER_PASSES: Final = (
    "use_pass_z",
    "use_pass_normal",
    "use_pass_object_index",
    "use_pass_material_index",
    "use_pass_position",
)
_ADAPTIVE: Final = 64  # samples from which it pays to spend them where they are needed
_SKY: Final = 1e9  # metres; Cycles says 1e10 where there is nothing
_GRAZING: Final = 0.03  # cosine below which a surface's plane says nothing of the pixel's middle


@dataclass(frozen=True, eq=False)
class Passes:
    """What was rendered, (H, W) each; row 0 is the picture's top.

    Attributes:
        colour: (H, W, 3) linear light.
        depth: metres along the camera's axis at the middle of the pixel; inf where there is nothing.
        normal: (H, W, 3) of the surface, world; 0 where there is nothing.
        flow: (H, W, 2) pixels right and down to where the same point is in the next frame; NaN for nothing,
            and everywhere if the spec doesn't want it.
        person: 0 for none, else the person's number from 1.
        part: 0 for none, else the part's number from 1.
    """

    colour: Array
    depth: Array
    normal: Array
    flow: Array
    person: Array
    part: Array


def prepare(clip: Clip, threads: int = 0) -> None:
    """Tell the scene how to render.

    Args:
        clip: built.
        threads: of the processor; all if 0.

    Raises:
        DeviceError: the spec wants a graphics card and Cycles finds none; or a denoiser, and
            this Blender has none.
    """
    scene, image = clip.scene, clip.spec.image
    render = scene.render
    render.engine = "CYCLES"
    render.resolution_x, render.resolution_y = image.width, image.height
    render.resolution_percentage = 100
    render.use_persistent_data = True
    render.use_file_extension = False
    render.use_stamp = False
    render.threads_mode = "FIXED" if threads else "AUTO"
    if threads:
        render.threads = threads
    _set_cycles(scene.cycles, image.samples)
    if image.denoise:
        _find_denoiser(scene.cycles)
    scene.cycles.device = "GPU" if image.device == "gpu" else "CPU"
    if image.device == "gpu":
        _find_card()
    for name in _LAYER_PASSES:
        setattr(scene.view_layers[0], name, True)
    # For the way of each point the whole scene is evaluated at three moments.
    scene.view_layers[0].use_pass_vector = "flow" in clip.spec.annotations.passes
    settings = render.image_settings
    if hasattr(settings, "media_type"):  # since 5.0
        settings.media_type = "MULTI_LAYER_IMAGE"
    settings.file_format = "OPEN_EXR_MULTILAYER"
    settings.color_depth, settings.exr_codec = "32", "NONE"
    if hasattr(settings, "use_exr_interleave"):  # since 5.0 parts are the default
        settings.use_exr_interleave = True


def _set_cycles(cycles: bpy.types.PropertyGroup, samples: int) -> None:
    cycles.samples = samples
    cycles.use_adaptive_sampling = samples >= _ADAPTIVE
    cycles.use_light_tree = False
    cycles.max_bounces = 4
    cycles.diffuse_bounces = 2
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.pixel_filter_type = "BLACKMAN_HARRIS"


def check_machine(image: Image) -> None:
    """See whether this machine and this Blender have what the pictures are to be made with.

    Raises:
        DeviceError: there is no graphics card, or no denoiser.
    """
    if image.device == "gpu":
        _find_card()
    if image.denoise:
        _find_denoiser(bpy.context.scene.cycles)


def _find_denoiser(cycles: bpy.types.PropertyGroup) -> None:
    """Use the one that every Blender of blender.org has; distributions build theirs without."""
    try:
        cycles.denoiser = "OPENIMAGEDENOISE"
    except TypeError as error:
        raise DeviceError(
            "the spec wants denoise = true, and this Blender was built without OpenImageDenoise; "
            "set denoise = false in [image], or take Blender from blender.org"
        ) from error


def _find_card() -> None:
    """Use every graphics card that Cycles finds."""
    preferences = bpy.context.preferences.addons["cycles"].preferences
    for kind in ("OPTIX", "CUDA", "HIP", "METAL", "ONEAPI"):
        try:
            preferences.compute_device_type = kind
        except TypeError:  # not built in
            continue
        preferences.refresh_devices()
        cards = [device for device in preferences.devices if device.type == kind]
        if cards:
            for device in preferences.devices:
                device.use = device.type == kind
            return
    raise DeviceError(
        'the spec wants device = "gpu", and Cycles finds no graphics card here; set device = "cpu" in [image]'
    )


def camera_now(clip: Clip, view: int) -> Camera:
    """The camera as it is at the scene's present frame, in pixels."""
    depsgraph = clip.scene.view_layers[0].depsgraph
    item = clip.cameras[view].evaluated_get(depsgraph)
    width, height = clip.spec.image.width, clip.spec.image.height
    focal = item.data.lens / SENSOR * width
    world_from_camera = np.array(item.matrix_world)
    turn = np.diag([1.0, -1.0, -1.0]) @ world_from_camera[:3, :3].T
    return Camera(
        f"camera{view}",
        np.array([[focal, 0.0, (width - 1) / 2], [0.0, focal, (height - 1) / 2], [0.0, 0.0, 1.0]]),
        turn,
        -turn @ world_from_camera[:3, 3],
        size=(width, height),
    )


def render_passes(clip: Clip, frame: int, view: int, folder: Path) -> Passes:
    """Render a frame of the clip through one camera, the scene's present frame being that one.

    Where the picture is blurred by motion or the lens, annotations come from a second render of one sample
    that is sharp.

    Args:
        clip: prepared.
        frame: of the clip.
        view: number of the camera.
        folder: for a file of the moment.

    Raises:
        OutputError: the file of the moment can't be written.
    """
    scene, spec = clip.scene, clip.spec
    if scene.camera != clip.cameras[view]:  # to set it makes Blender look through the whole scene
        scene.camera = clip.cameras[view]
    random = generator(spec.dataset.seed, "clip", clip.number, "noise", frame, view)
    scene.cycles.seed = int(random.integers(2**31 - 1))
    scene.update_tag()  # or a scene that is kept between frames keeps the seed of its first
    blur = clip.about["camera"]["motion_blur"]
    lens = scene.camera.data.dof
    sharp = blur == 0.0 and not lens.use_dof
    _set_quality(scene, spec.image.samples, denoise=spec.image.denoise, shutter=blur)
    picture = _rendered(scene, folder)
    found = picture
    if not sharp:
        focused, lens.use_dof = lens.use_dof, False
        _set_quality(scene, 1, denoise=False, shutter=0.0)
        found = _rendered(scene, folder)
        lens.use_dof = focused
    return _passes(picture, found, camera_now(clip, view))


def _set_quality(scene: bpy.types.Scene, samples: int, *, denoise: bool, shutter: float) -> None:
    few = samples < 16
    scene.cycles.samples = samples
    scene.cycles.use_denoising = denoise
    if denoise:
        scene.cycles.denoising_quality = "FAST" if few else "HIGH"
        scene.cycles.denoising_prefilter = "NONE" if few else "ACCURATE"
    scene.render.use_motion_blur = shutter > 0.0
    if shutter > 0.0:
        scene.render.motion_blur_shutter = shutter


def _rendered(scene: bpy.types.Scene, folder: Path) -> dict[str, Array]:
    path = folder / "frame.exr"
    scene.render.filepath = str(path)
    try:
        bpy.ops.render.render(write_still=True, scene=scene.name)
    except RuntimeError as error:
        raise OutputError(f"the frame can't be rendered: {str(error).strip()}") from error
    try:
        channels = {name.partition(".")[2]: c for name, c in read_exr(path).items()}
    except FileError as error:  # Blender says nothing where a disk is full
        raise OutputError(
            f"{path} can't be written whole; make room and run the same command again"
        ) from error
    path.unlink()
    return channels


def _passes(picture: dict[str, Array], found: dict[str, Array], camera: Camera) -> Passes:
    depth = found["Depth.Z"]
    seen = depth < _SKY
    x, y, z = (found[f"Normal.{axis}"] for axis in "XYZ")
    length = np.sqrt(x * x + y * y + z * z)
    scale = np.divide(np.float32(1.0), length, out=np.zeros_like(length), where=length > 1e-6)
    normal = (x * scale, y * scale, z * scale)
    points = tuple(found[f"Position.{axis}"] for axis in "XYZ")
    middle = _depth_in_the_middle(depth, points, normal, camera)
    nothing = np.full(depth.shape, np.nan, dtype=np.float32)
    # Cycles says where the point comes from, right and up.
    right, up = (found.get(f"Vector.{axis}", nothing) for axis in "ZW")
    flow = np.stack([np.where(seen, -right, nothing), np.where(seen, up, nothing)], axis=-1)
    person = found.get("Object Index.X", found.get("IndexOB.X"))
    part = found.get("Material Index.X", found.get("IndexMA.X"))
    number = np.where(seen, person, 0).astype(np.int32)
    return Passes(
        np.stack([picture[f"Combined.{c}"] for c in "RGB"], axis=-1),
        np.where(seen, middle, np.inf),
        np.stack(normal, axis=-1),
        flow,
        number,
        np.where(number > 0, part, 0).astype(np.int32),
    )


def _depth_in_the_middle(
    depth: Array, points: tuple[Array, ...], normal: tuple[Array, ...], camera: Camera
) -> Array:
    """(H, W) depth at the middle of each pixel: Cycles' first sample lies beside it, on the same plane.

    With the plane's normal n, a point p on it, the camera's place c and the pixel's ray r of depth 1, all in
    the world, it is n (p - c) / n r.
    """
    # Columns: what a step right, a step down, and the picture's corner add to a ray.
    steps = (camera.camera_from_world.T @ np.linalg.inv(camera.matrix)).astype(np.float32)
    place = camera.position.astype(np.float32)
    height, width = depth.shape
    across, down = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    right, below, corner = (sum(n * a for n, a in zip(normal, way, strict=True)) for way in steps.T)
    along = right * across + below * down + corner
    away = sum(n * (p - c) for n, p, c in zip(normal, points, place, strict=True))
    with np.errstate(divide="ignore", invalid="ignore"):
        plane = away / along
    rays = (a * across + b * down + c for a, b, c in steps)
    steep = np.abs(along) > _GRAZING * np.sqrt(sum(ray * ray for ray in rays))
    near = np.abs(plane - depth) < 0.1 * depth
    return np.where(steep & near, plane, depth)
