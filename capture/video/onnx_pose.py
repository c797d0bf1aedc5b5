"""Any top-down pose network in an ONNX file: RTMPose, ViTPose and others, by what goes in and comes out.

In: one crop (1, 3, H, W), red, green, blue, less ImageNet's mean and divided by its deviation. Out: SimCC,
two arrays (1, K, X) and (1, K, Y); or heat maps, one array (1, K, h, w).
"""

import warnings
from pathlib import Path
from typing import Any, Final

import numpy as np

from ...rig.arrays import Array
from ...rig.errors import FileError, FormatError, ModelError
from ..keypoints.layout import Layout, layout_of_count, named_layout
from .crops import Box, crop
from .decoding import decode_heatmaps, decode_simcc
from .detector import DetectorOptions
from .following import FollowingDetector
from .frames import Picture

__all__ = ["OnnxNetwork", "onnx_detector"]

_MEAN: Final = np.array([123.675, 116.28, 103.53], dtype=np.float32)
_DEVIATION: Final = np.array([58.395, 57.12, 57.375], dtype=np.float32)
_USUAL: Final = (192, 256)  # width and height where the file leaves them open
_LAYOUTS: Final = (
    "coco_17", "halpe_26", "coco_133", "body_25", "body_25b", "coco_18", "mpii_16", "mediapipe_33",
)  # fmt: skip
_TYPES: Final = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


def onnx_detector(options: DetectorOptions) -> FollowingDetector:
    """The detector of a user's file.

    Raises:
        FormatError: no file is named, or its layout is unclear.
        FileError, ModelError: the file can't be used.
    """
    if options.model is None:
        raise FormatError("no model is named; give --model FILE.onnx (RTMPose, ViTPose …)")
    network = OnnxNetwork(options.model, options.layout)
    return FollowingDetector("onnx", network.layout, network, options.people)


class OnnxNetwork:
    """A top-down network: a crop in, keypoints out.

    Raises:
        FileError: there is no such file.
        ModelError: onnxruntime is not installed, or the file is no such network.
        FormatError: several layouts have as many keypoints; one must be named.
    """

    def __init__(self, path: Path, layout: str | None = None) -> None:
        if not path.is_file():
            raise FileError(f"{path} does not exist; expected an ONNX file")
        self.path = path
        self._session: Any = _session(path)
        self._input, self.size, self._type = self._read_input()
        outputs = self._run(np.zeros((self.size[1], self.size[0], 3), np.uint8))
        self.layout = _layout(self._count(outputs), layout)

    @property
    def aspect(self) -> float:
        """Width / height of its crops."""
        return self.size[0] / self.size[1]

    def __call__(self, picture: Picture, box: Box) -> tuple[Array, Array]:
        """Keypoints (K, 2) in the picture, pixels, and their confidence (K,)."""
        box = box.of_shape(self.aspect)
        outputs = self._run(crop(picture, box, self.size))
        if len(outputs) == 1:
            points, sure = decode_heatmaps(outputs[0], self.size)
        else:
            points, sure = decode_simcc(outputs[0], outputs[1], self.size)
        return box.to_picture(points, self.size), sure

    def _read_input(self) -> tuple[str, tuple[int, int], type[Any]]:
        inputs = self._session.get_inputs()
        shape = inputs[0].shape if len(inputs) == 1 else []
        if len(shape) != 4 or shape[1] not in (3, "3") or inputs[0].type not in _TYPES:
            told = ", ".join(f"{one.name} {one.shape} {one.type}" for one in inputs)
            raise ModelError(
                f"{self.path} takes {told[:150]}; expected one array (1, 3, height, width) of float"
            )
        height, width = (side if isinstance(side, int) and side > 0 else 0 for side in shape[2:])
        size = (width or _USUAL[0], height or _USUAL[1])
        return inputs[0].name, size, _TYPES[inputs[0].type]

    def _run(self, picture: Picture) -> list[Array]:
        """What the network answers, as SimCC's two arrays or one of heat maps, without the batch."""
        given = ((picture - _MEAN) / _DEVIATION).transpose(2, 0, 1)[None].astype(self._type)
        try:
            answers = self._session.run(None, {self._input: given})
        except Exception as error:
            raise ModelError(f"{self.path} does not run: {_line(error)}") from error
        arrays = [np.asarray(a, dtype=np.float64)[0] for a in answers if getattr(a, "ndim", 0) >= 3]
        maps = [a for a in arrays if a.ndim == 3]
        if maps:
            return maps[:1]
        if len(arrays) >= 2 and arrays[0].ndim == arrays[1].ndim == 2:
            return arrays[:2]
        told = ", ".join(str(np.shape(answer)) for answer in answers)
        raise ModelError(
            f"{self.path} answers {told[:150]}; expected SimCC (1, K, X) and (1, K, Y), or heat maps "
            "(1, K, h, w); networks that find people themselves are of another kind"
        )

    def _count(self, outputs: list[Array]) -> int:
        """K, the same in all outputs."""
        counts = {len(output) for output in outputs}
        if len(outputs) == 2:
            x, y = (
                output.shape[-1] / side for output, side in zip(outputs, self.size, strict=True)
            )
            if abs(x - y) > 0.02 * max(x, y):
                raise ModelError(
                    f"{self.path} answers {outputs[0].shape} and {outputs[1].shape} for crops of "
                    f"{self.size[0]}x{self.size[1]}; expected as many bins for each pixel along x and y"
                )
        if len(counts) != 1:
            raise ModelError(
                f"{self.path} answers for {sorted(counts)} keypoints; expected one number"
            )
        return counts.pop()


def _session(path: Path) -> Any:  # noqa: ANN401  onnxruntime's
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import onnxruntime  # noqa: PLC0415  optional
    except ImportError as error:
        raise ModelError(
            "onnxruntime is not installed; run `pip install onnxruntime`, or use --detector mediapipe"
        ) from error
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelError(f"{path} is no ONNX network that runs here: {_line(error)}") from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:150]


def _layout(count: int, key: str | None) -> Layout:
    if key is not None:
        layout = named_layout(key)
        if len(layout) != count:
            raise FormatError(f"the network finds {count} keypoints; {key} has {len(layout)}")
        return layout
    fitting = layout_of_count(count, _LAYOUTS)
    if len(fitting) > 1:
        keys = " or ".join(layout.key for layout in fitting)
        raise FormatError(
            f"the network finds {count} keypoints; say whether they are {keys} (--layout)"
        )
    return fitting[0]
