"""OpenCap's released augmenters, run as they are from a user's folder, as peers to compare with.

Falisse et al., "Marker Data Enhancement For Markerless Motion Capture" (2024); the files are opencap-core's
marker augmenter. Reading their weights needs h5py, which PALLAS itself doesn't.
"""

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from ...rig.arrays import Array
from ...rig.errors import FileError, ModelError
from .points import ARMS, BODY, KEYPOINTS, MARKERS

__all__ = ["OpenCap", "load_opencap"]

# The order of version 0.1 and 0.2, where left and right take turns.
_OLD_BODY: Final = (
    "C7 r_shoulder L_shoulder r.ASIS L.ASIS r.PSIS L.PSIS r_knee L_knee r_mknee L_mknee r_ankle L_ankle "
    "r_mankle L_mankle r_calc L_calc r_toe L_toe r_5meta L_5meta r_thigh1 r_thigh2 r_thigh3 L_thigh1 "
    "L_thigh2 L_thigh3 r_sh1 r_sh2 r_sh3 L_sh1 L_sh2 L_sh3 RHJC LHJC"
)
_OLD_ARMS: Final = "r_lelbow L_lelbow r_melbow L_melbow r_lwrist L_lwrist r_mwrist L_mwrist"
_ORDERS: Final = {
    "old": tuple(f"{name}_study" for name in f"{_OLD_BODY} {_OLD_ARMS}".split()),
    "new": MARKERS,
}
_VERSIONS: Final = {"v0.1": "old", "v0.2": "old", "v0.3": "new"}
_UP_FROM_WORLD: Final = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])  # y up
_HIPS: Final = [KEYPOINTS.index("RHip"), KEYPOINTS.index("LHip")]


class OpenCap(nn.Module):
    """Both networks of a version: 15 keypoints to 35 markers, 7 to 8."""

    def __init__(self, body: "_Released", arms: "_Released", order: tuple[str, ...]) -> None:
        super().__init__()
        self.body, self.arms = body, arms
        self.columns = [order.index(name) for name in MARKERS]

    @torch.no_grad()
    def forward(self, keypoints: Tensor, size: Tensor, middle: Tensor | None = None) -> Tensor:
        """Markers of a whole trial.

        Args:
            keypoints: (B, T, 19, 3) at 60 Hz, metres in our world.
            size: (B, 2) height in metres and mass in kilograms.
            middle: (B, T, 1, 3) the mid-hip; None for the mean of the hips.

        Returns:
            (B, T, 43, 3) metres in our world.
        """
        middle = keypoints[:, :, _HIPS].mean(2, keepdim=True) if middle is None else middle
        height = size[:, 0, None, None, None]
        local = ((keypoints - middle) / height) @ _UP_FROM_WORLD.T
        tall = size[:, None].expand(-1, keypoints.shape[1], -1)
        found = []
        for network, part in ((self.body, BODY), (self.arms, ARMS)):
            names = [KEYPOINTS.index(name) for name in part.inputs]
            seen = torch.cat([local[:, :, names].flatten(2), tall], dim=-1)
            found.append(network(seen).unflatten(-1, (-1, 3)))
        markers = torch.cat(found, dim=2)[:, :, self.columns]
        result: Tensor = markers @ _UP_FROM_WORLD * height + middle
        return result


class _Released(nn.Module):
    """One network: standardised inputs, LSTM layers, a linear layer."""

    mean: Tensor
    deviation: Tensor

    def __init__(
        self, mean: Array, deviation: Array, layers: list[nn.LSTM], out: nn.Linear
    ) -> None:
        super().__init__()
        self.register_buffer("mean", torch.as_tensor(mean).float())
        self.register_buffer("deviation", torch.as_tensor(deviation).float())
        self.layers, self.out = nn.ModuleList(layers), out

    def forward(self, inputs: Tensor) -> Tensor:
        """(B, T, inputs) to (B, T, outputs)."""
        x = (inputs - self.mean) / self.deviation
        for layer in self.layers:
            x, _ = layer(x)
        out: Tensor = self.out(x)
        return out


def load_opencap(folder: Path, version: str) -> OpenCap:
    """Read a version's two networks.

    Args:
        folder: with `v0.3_lower`, `v0.3_upper` and so on, as in opencap-core's MarkerAugmenter/LSTM.
        version: "v0.1", "v0.2" or "v0.3".

    Raises:
        ModelError: h5py is not installed, or the version is unknown.
        FileError: a file is missing, damaged, or of another kind of network.
    """
    if version not in _VERSIONS:
        raise ModelError(f"no OpenCap version {version!r}; there are: {', '.join(_VERSIONS)}")
    order = _ORDERS[_VERSIONS[version]]
    parts = [_released(folder / f"{version}_{part}") for part in ("lower", "upper")]
    return OpenCap(parts[0], parts[1], order).eval()


def _released(folder: Path) -> _Released:
    try:
        import h5py  # noqa: PLC0415 - optional
    except ImportError as error:
        raise ModelError("OpenCap's weights need h5py; run pip install h5py") from error
    try:
        about = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        mean, deviation = (np.load(folder / f"{name}.npy") for name in ("mean", "std"))
        with h5py.File(folder / "weights.h5") as file:
            layers: list[nn.LSTM] = []
            out: nn.Linear | None = None
            for layer in about["config"]["layers"]:
                name, kind = layer["config"]["name"], layer["class_name"]
                if kind == "LSTM":
                    layers.append(_lstm(file[name]))
                elif kind == "TimeDistributed":
                    out = _dense(file[name])
                elif kind not in ("InputLayer", "Dropout"):
                    raise ValueError(f"a layer is a {kind}")
        if out is None:
            raise ValueError("there is no last layer")
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = " ".join(str(error).split())[:150]
        raise FileError(
            f"{folder} holds no augmenter of OpenCap ({reason}); expected model.json, weights.h5, mean.npy "
            "and std.npy"
        ) from error
    return _Released(mean, deviation, layers, out)


def _arrays(group: Any) -> dict[str, Array]:  # noqa: ANN401 - h5py has no types
    """Arrays below a group by the last part of their names, such as "kernel:0"."""
    found: dict[str, Array] = {}

    def keep(name: str, item: Any) -> None:  # noqa: ANN401
        if hasattr(item, "shape"):
            found[name.rsplit("/", 1)[-1]] = np.asarray(item, dtype=np.float32)

    group.visititems(keep)
    return found


@torch.no_grad()
def _lstm(group: Any) -> nn.LSTM:  # noqa: ANN401
    """Keras and torch order the gates alike: input, forget, cell, output."""
    arrays = _arrays(group)
    kernel, recurrent = arrays["kernel:0"], arrays["recurrent_kernel:0"]
    layer = nn.LSTM(len(kernel), len(recurrent), batch_first=True)
    bias = torch.from_numpy(arrays["bias:0"])
    state = {
        "weight_ih_l0": torch.from_numpy(kernel.T.copy()),
        "weight_hh_l0": torch.from_numpy(recurrent.T.copy()),
        "bias_ih_l0": bias,
        "bias_hh_l0": torch.zeros_like(bias),
    }
    layer.load_state_dict(state)
    return layer


@torch.no_grad()
def _dense(group: Any) -> nn.Linear:  # noqa: ANN401
    arrays = _arrays(group)
    n_inputs, n_outputs = arrays["kernel:0"].shape
    layer = nn.Linear(n_inputs, n_outputs)
    layer.weight.copy_(torch.from_numpy(arrays["kernel:0"].T.copy()))
    layer.bias.copy_(torch.from_numpy(arrays["bias:0"]))
    return layer
