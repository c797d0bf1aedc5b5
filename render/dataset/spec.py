"""The spec of a dataset: one TOML file, checked to the last key."""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from ...capture.textfile import read_bytes
from ...capture.virtual_imu import STANDARD_SENSORS
from ...rig.errors import FormatError
from .fields import Choice, Choices, Field, Flag, Number, Span, Texts, Whole, checked_table, nearest

__all__ = [
    "FIELDS",
    "Annotations",
    "Cameras",
    "Dataset",
    "Image",
    "Imu",
    "Output",
    "People",
    "Spec",
    "Surroundings",
    "parse_spec",
    "read_spec",
]

_MOST: Final = 10_000_000

FIELDS: Final[Mapping[str, Mapping[str, Field]]] = MappingProxyType(
    {
        "dataset": {
            "seed": Whole(0, "everything random is drawn from it", 0, 2**63 - 1),
            "clips": Whole(4, "scenes, each with people, cameras and light of its own", 1, _MOST),
            "frames": Whole(25, "of every clip", 1, 100_000),
            "fps": Number(25.0, "frames a second", 0.1, 1000.0),
        },
        "image": {
            "width": Whole(256, "pixels", 1, 16384),
            "height": Whole(256, "pixels", 1, 16384),
            "samples": Whole(16, "Cycles samples a pixel", 1, 65536),
            "denoise": Flag(True, "smooth what few samples leave"),
            "format": Choice("jpeg", "of the pictures", ("jpeg", "png", "exr")),
            "quality": Whole(92, "of a JPEG", 1, 100),
            "device": Choice("cpu", "what Cycles renders on", ("cpu", "gpu")),
            "motion_blur": Span((0.0, 0.0), "shutter, in frames", 0.0, 1.0),
            "aperture": Span((0.0, 0.0), "f-number of the depth of field; 0 for none", 0.0, 128.0),
            "noise": Span((0.0, 0.0), "of the sensor, of full white", 0.0, 0.5),
        },
        "people": {
            "count": Span((1, 1), "people in a clip", 0, 16, whole=True),
            "motions": Texts(("demo", "poses"), '"demo", "poses", files, or folders of them'),
            "bodies": Texts(("all",), "names of bodies, or all"),
            "hands": Choice("drawn", "open, closed, or one of them", ("drawn", "open", "closed")),
            "hair": Flag(True, "hair or a hat on some"),
            "props": Flag(True, "a thing in the hand of some"),
            "clothes": Choice(
                "street", "of the street, for sports, or any of both", ("street", "sports", "any")
            ),
            "spread": Number(1.2, "metres around the middle where people stand", 0.0, 50.0),
        },
        "camera": {
            "kind": Choice("orbit", "how it moves", ("orbit", "handheld", "fixed", "rig")),
            "views": Whole(1, "cameras that see each frame", 1, 64),
            "distance": Span((2.5, 5.0), "metres from the people", 0.2, 500.0),
            "height": Span((0.6, 2.2), "metres over the floor", 0.02, 500.0),
            "lens": Span((28.0, 50.0), "millimetres, of a sensor 36 mm wide", 4.0, 1000.0),
            "shake": Number(1.0, "of a handheld camera, times the usual", 0.0, 20.0),
        },
        "scene": {
            "surroundings": Choices(
                ("room", "sky", "studio"),
                "drawn for every clip",
                ("room", "sky", "studio", "hdri", "images"),
                some=True,
            ),
            "hdri": Texts((), "folder of .hdr or .exr panoramas"),
            "images": Texts((), "folder of pictures that stand behind the people"),
        },
        "annotations": {
            "passes": Choices(("depth",), "EXR files beside the pictures", ("depth", "normal", "flow")),
            "masks": Flag(True, "a mask for each person"),
            "parts": Flag(True, "a mask for each of 24 parts of each body"),
        },
        "imu": {
            "placements": Choices((), "where virtual sensors sit", tuple(STANDARD_SENSORS)),
            "fps": Number(60.0, "samples a second", 1.0, 2000.0),
            "errors": Choice("worn", "of the sensors", ("worn", "none")),
        },
        "output": {
            "shard_images": Whole(0, "pictures in a WebDataset tar; 0 for none", 0, _MOST),
        },
    }
)  # fmt: skip


@dataclass(frozen=True)
class Dataset:
    """How much, and the seed."""

    seed: int
    clips: int
    frames: int
    fps: float


@dataclass(frozen=True)
class Image:
    """The pictures."""

    width: int
    height: int
    samples: int
    denoise: bool
    format: str
    quality: int
    device: str
    motion_blur: tuple[float, float]
    aperture: tuple[float, float]
    noise: tuple[float, float]

    @property
    def suffix(self) -> str:
        """Of a picture's file."""
        return {"jpeg": ".jpg", "png": ".png", "exr": ".exr"}[self.format]


@dataclass(frozen=True)
class People:
    """Who is seen."""

    count: tuple[int, int]
    motions: tuple[str, ...]
    bodies: tuple[str, ...]
    hands: str
    hair: bool
    props: bool
    clothes: str
    spread: float


@dataclass(frozen=True)
class Cameras:
    """From where."""

    kind: str
    views: int
    distance: tuple[float, float]
    height: tuple[float, float]
    lens: tuple[float, float]
    shake: float


@dataclass(frozen=True)
class Surroundings:
    """Where."""

    surroundings: tuple[str, ...]
    hdri: tuple[str, ...]
    images: tuple[str, ...]


@dataclass(frozen=True)
class Annotations:
    """What is written beside the pictures."""

    passes: tuple[str, ...]
    masks: bool
    parts: bool


@dataclass(frozen=True)
class Imu:
    """Virtual sensors."""

    placements: tuple[str, ...]
    fps: float
    errors: str


@dataclass(frozen=True)
class Output:
    """How it is packed."""

    shard_images: int


_SECTIONS: Final[Mapping[str, type]] = MappingProxyType(
    {
        "dataset": Dataset,
        "image": Image,
        "people": People,
        "camera": Cameras,
        "scene": Surroundings,
        "annotations": Annotations,
        "imu": Imu,
        "output": Output,
    }
)


@dataclass(frozen=True)
class Spec:
    """A checked spec; `folder` is where its relative paths start."""

    dataset: Dataset
    image: Image
    people: People
    camera: Cameras
    scene: Surroundings
    annotations: Annotations
    imu: Imu
    output: Output
    folder: Path = Path()

    @property
    def frames(self) -> int:
        """Frames of all clips."""
        return self.dataset.clips * self.dataset.frames

    @property
    def plain(self) -> dict[str, Any]:
        """All keys with their values, as JSON has them."""
        told: dict[str, Any] = json.loads(
            json.dumps({n: asdict(getattr(self, n)) for n in _SECTIONS})
        )
        return told

    @property
    def digest(self) -> str:
        """What tells one spec from another, whatever its file looks like."""
        return hashlib.sha256(json.dumps(self.plain, sort_keys=True).encode()).hexdigest()

    def path(self, text: str) -> Path:
        """A path of the spec, relative to its file."""
        return self.folder / Path(text).expanduser()


def read_spec(path: Path | str) -> Spec:
    """Read a spec.

    Raises:
        FileError: the file can't be read.
        FormatError: it is no TOML, or a key or value is wrong; the message says what was expected.
    """
    path = Path(path)
    content = read_bytes(path)
    try:
        return parse_spec(content, path.resolve().parent)
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from error


def parse_spec(content: bytes, folder: Path = Path()) -> Spec:
    """Parse the bytes of a spec. See `read_spec`."""
    try:
        tables = tomllib.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise FormatError(f"the spec is no TOML: {error}") from error
    for name in tables:
        if name not in FIELDS:
            raise FormatError(f"the spec has the unknown table [{name}]; {nearest(name, FIELDS)}")
    read = {
        name: _SECTIONS[name](**checked_table(name, tables.get(name, {}), fields))
        for name, fields in FIELDS.items()
    }
    spec = Spec(**read, folder=folder)
    _check(spec)
    return spec


def _check(spec: Spec) -> None:
    """What no key can tell alone."""
    for kind in ("hdri", "images"):
        if kind in spec.scene.surroundings and not getattr(spec.scene, kind):
            raise FormatError(
                f'[scene] has the surroundings "{kind}" and no folder; add {kind} = "FOLDER"'
            )
    if spec.frames * spec.camera.views > _MOST:
        raise FormatError(
            f"the spec has {spec.frames * spec.camera.views} pictures; expected at most {_MOST}; "
            "lower clips, frames or views"
        )
    if spec.people.motions == ():
        raise FormatError(
            'motions in [people] is empty; expected "demo", "poses", files or folders'
        )
