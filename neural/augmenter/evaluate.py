"""The tables of the augmenter: the paper's on our data, and beside OpenCap's networks, synthetic and real."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from ...rig.arrays import Array
from ...rig.errors import FileError
from ..evaluation.pages import UNKNOWN, block
from .dataset import Sampler
from .networks import Augmenter
from .opencap import OpenCap, load_opencap
from .predict import STEP, predict_batch, resampled
from .real import Trial, read_trials
from .scores import Score, local_errors, offset_of, score_of, without
from .segments import segment_frames
from .stored import load_augmenter
from .train import sampler_for
from .windows import FPS, FRAMES, facing_window, in_windows

__all__ = [
    "augmenter_tables",
    "models_of",
    "real_table",
    "synthetic_table",
    "variants_table",
]

Model = Callable[
    [Tensor, Tensor], Tensor
]  # keypoints (B, T, 19, 3) and sizes to markers, in the world
Table = tuple[str, dict[str, Any]]

_BATCH: Final = 16
_LONG: Final = 120  # frames of a synthetic trial
_PEERS: Final = ("v0.3", "v0.2")
_OURS, _SEGMENTS = "ours", "fixed in segments"


def augmenter_tables(
    library: Path,
    data: Path | None,
    suite: Path | None,
    progress: Callable[[int], None] = lambda done: None,
) -> Table:
    """All tables that there is data for.

    Args:
        library: motion library.
        data: folder with `augmenter/opencap/LSTM` and `markers`, or None for neither peers nor real trials.
        suite: folder of trained runs of the suite, or None.
        progress: told hundredths of the work done.
    """
    network, about = load_augmenter()
    models = models_of(data, network)
    parts, numbers = [], {"network": about}
    if suite is not None:
        text, numbers["variants"] = variants_table(suite, library)
        parts.append(f"The paper's table on our data, windows of {FRAMES} frames:\n\n{text}")
    progress(30)
    text, numbers["synthetic"] = synthetic_table(models, library)
    parts.append(f"Synthetic people of the test split, trials of {_LONG / FPS:g} s:\n\n{text}")
    progress(60)
    if data is not None:
        text, numbers["real"] = real_table(models, data)
        parts.append(f"Real optical trials.\n\n{text}")
    progress(100)
    return "\n".join(parts), numbers


def models_of(data: Path | None, network: Augmenter) -> dict[str, Model]:
    """Ours, markers that are fixed in their segments, and OpenCap's where their folder is there."""
    models: dict[str, Model] = {_OURS: _windowed(network), _SEGMENTS: _fixed(network)}
    if data is not None:
        folder = data / "augmenter" / "opencap" / "LSTM"
        for version in _PEERS:
            models[f"OpenCap {version}"] = _released(load_opencap(folder, version))
    return models


def _windowed(network: Augmenter) -> Model:
    def model(keypoints: Tensor, size: Tensor) -> Tensor:
        found = []
        for frames, own in zip(keypoints, size[:, None], strict=True):

            def windows(parts: Tensor, own: Tensor = own) -> Tensor:
                return predict_batch(parts, own.expand(len(parts), -1), network)

            found.append(in_windows(frames, windows, FRAMES, STEP))
        return torch.stack(found)

    return model


def _fixed(network: Augmenter) -> Model:
    """What the network starts from, before anything is learnt: each marker at its mean place."""

    def model(keypoints: Tensor, size: Tensor) -> Tensor:
        window = facing_window(keypoints, size)
        assert network.fixed is not None
        origins, frames = segment_frames(window.keypoints)
        return window.back(origins + (frames * network.fixed.offsets[:, None]).sum(-1))

    return model


def _released(network: OpenCap) -> Model:
    def model(keypoints: Tensor, size: Tensor) -> Tensor:
        found: Tensor = network(keypoints, size)
        return found

    return model


def variants_table(folder: Path, library: Path, batches: int = 4) -> Table:
    """The runs of a suite on windows of people and bodies that nobody learnt from.

    Raises:
        FileError: the folder holds no finished run.
    """
    sampler = sampler_for(library, "test", 64, 7)
    drawn = [sampler(number) for number in range(batches)]
    rows, numbers = [], {}
    for path in sorted(folder.glob("*/*.json")):
        network, about = load_augmenter(path.with_suffix(""))
        errors = []
        with torch.no_grad():
            for batch in drawn:
                found = network(batch.window.keypoints, batch.window.size) - batch.markers
                errors.append(found * batch.window.size[:, 0, None, None, None])
        score = score_of(torch.cat(errors).numpy().astype(np.float64))
        schedule = about["training"]
        rows.append(
            [
                path.stem,
                f"{schedule['learning_rate']:g}",
                str(about["config"]["layers"]),
                f"{about['minutes']:.1f}",
                str(about["steps"]),
                f"{score.rmse:.1f}",
                f"{score.mpme:.1f}",
            ]
        )
        numbers[path.stem] = {**score.plain(), "steps": about["steps"], "minutes": about["minutes"]}
    if not rows:
        raise FileError(
            f"{folder} holds no finished run; train them: pallas train --suite augmenter"
        )
    head = ("network", "lr", "nLayers", "minutes", "steps", "RMSE (mm)", "MPME (mm)")
    return block(head, rows), numbers


def synthetic_table(models: Mapping[str, Model], library: Path, batches: int = 1) -> Table:
    """All models on trials of two seconds; offsets are fitted to the validation people."""
    test = _trials(sampler_for(library, "test", _BATCH, 11), batches)
    held = _trials(sampler_for(library, "validation", _BATCH, 12), batches)
    rows, numbers = [], {}
    for name, model in models.items():
        offset = offset_of(np.concatenate([_local(model, *trial)[0] for trial in held]))
        found = [_local(model, *trial) for trial in test]
        before = score_of(np.concatenate([world for _, world in found]))
        after = without(np.concatenate([local for local, _ in found]), offset)
        rows.append([name, *_cells(before), *_cells(after)])
        numbers[name] = {"raw": before.plain(), "after_offset": after.plain()}
    head = ("model", "RMSE (mm)", "MPME (mm)", "RMSE after offset", "MPME after offset")
    return block(head, rows), numbers


def _trials(sampler: Sampler, batches: int) -> list[tuple[Tensor, Tensor, Tensor]]:
    long = Sampler(
        sampler.moves, sampler.bodies, sampler.variation, sampler.batch, sampler.seed, _LONG
    )
    return [long.drawn(torch.Generator().manual_seed(long.seed + 1000 * n)) for n in range(batches)]


def _local(model: Model, keypoints: Tensor, markers: Tensor, size: Tensor) -> tuple[Array, Array]:
    """Errors in the segments' frames and in the world."""
    world = (model(keypoints, size) - markers).numpy().astype(np.float64)
    return local_errors(keypoints.numpy(), world), world


def real_table(models: Mapping[str, Model], data: Path) -> Table:
    """All models on the real optical trials, with keypoints of both conventions."""
    trials = list(read_trials(data))
    parts, numbers = [], {}
    for inputs in ("joint centres", "OpenCap's places"):
        found = {
            name: [_on(model, trial, inputs) for trial in trials] for name, model in models.items()
        }
        for after, what in enumerate(("as predicted", "after a fixed offset per marker")):
            rows = []
            for name, scores in found.items():
                cells = [pair[after].mpme for pair in scores]
                rows.append([name, *(f"{cell:.1f}" for cell in cells), f"**{np.mean(cells):.1f}**"])
            head = ("MPME (mm)", *(trial.name for trial in trials), "mean")
            parts.append(f"Keypoints at {inputs}, {what}:\n\n{block(head, rows)}")
        numbers[inputs] = {
            name: {
                trial.name: {"raw": raw.plain(), "after_offset": rest.plain()}
                for trial, (raw, rest) in zip(trials, scores, strict=True)
            }
            for name, scores in found.items()
        }
    return "\n".join(parts), numbers


def _on(model: Model, trial: Trial, inputs: str) -> tuple[Score, Score]:
    """A model's score on a trial, before and after the offset that fits this trial best."""
    keypoints = trial.centres if inputs == "joint centres" else trial.places
    count = int((len(keypoints) - 1) / trial.fps * FPS) + 1
    steady = resampled(keypoints, trial.fps, np.arange(count) / FPS)
    start = steady[0].mean(0)  # single precision is enough near the origin
    size = torch.tensor([trial.size], dtype=torch.float32)
    found = model(torch.as_tensor(steady - start).float()[None], size)[0].numpy() + start
    at_own = resampled(found, FPS, np.arange(len(keypoints)) / trial.fps)
    errors = (at_own - trial.markers)[None]
    local = local_errors((keypoints - start)[None], errors)
    return score_of(errors), without(local, offset_of(local))


def _cells(score: Score) -> list[str]:
    return [f"{score.rmse:.1f}", f"{score.mpme:.1f}"] if score.markers else [UNKNOWN, UNKNOWN]
