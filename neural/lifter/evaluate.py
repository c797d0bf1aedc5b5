"""How far lifted joints are off, on people that the lifter never saw, from random places."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch

from ...rig.arrays import Array
from ...rig.skeleton import BODY_JOINTS
from ..evaluation.pages import UNKNOWN, block
from ..threads import one_thread
from .network import Lifter
from .options import Views
from .train import load_clips
from .views import ViewBatch, ViewSampler

__all__ = ["LifterScores", "aligned_error", "evaluate_lifter", "lifter_table"]

Progress = Callable[[int, int, str], None]
_WINDOWS, _FRAMES, _BATCHES = 32, 48, 24
_STEP = 6  # frames; neighbours say the same again
_MILLIMETRES: Final = 1000.0
# What is lifted how; the conditions of the table.
CONDITIONS: Final[Mapping[str, Views]] = {
    "perfect keypoints": Views().perfect(),
    "a detector's keypoints": Views().unvaried(),
}


@dataclass(frozen=True)
class LifterScores:
    """Errors in millimetres on a body 1.70 m tall, over the 23 joints besides the pelvis.

    Attributes:
        mpjpe: mean distance, relative to the pelvis.
        pa_mpjpe: the same after the best turn, shift and scale of each frame.
        joints: (24,) mean distance of each joint.
        stated: mean error that the network expects of itself; NaN where it says nothing.
        contacts: share of feet told right to stand or not; NaN where it says nothing.
        up: degrees, mean error of the direction of up where it was not given; NaN where none was told.
    """

    mpjpe: float
    pa_mpjpe: float
    joints: Array
    stated: float = float("nan")
    contacts: float = float("nan")
    up: float = float("nan")


def aligned_error(points: Array, truth: Array) -> Array:
    """(N, P) distances of points (N, P, 3) after the similarity that fits each frame best.

    Umeyama 1991, "Least-squares estimation of transformation parameters between two point patterns".
    """
    a = points - points.mean(axis=1, keepdims=True)
    b = truth - truth.mean(axis=1, keepdims=True)
    u, s, vt = np.linalg.svd(np.swapaxes(a, 1, 2) @ b)
    sign = np.ones_like(s)
    sign[:, 2] = np.sign(np.linalg.det(u @ vt))
    scale = (s * sign).sum(axis=-1) / np.maximum((a * a).sum(axis=(1, 2)), 1e-12)
    turned = a @ (u * sign[:, None]) @ vt
    return np.asarray(np.linalg.norm(scale[:, None, None] * turned - b, axis=-1))


def evaluate_lifter(
    network: Lifter, library: Path, split: str, progress: Progress, every: int = 1
) -> dict[str, dict[str, LifterScores]]:
    """Scores by condition and by what lifts: the network, and two that know nothing of bodies in depth.

    "flat" puts every joint at the depth of the pelvis, exactly where it belongs in the picture. "mean"
    always answers with the mean of the held-out views.

    Raises:
        FileError: there is no library.
    """
    clips = load_clips(library, split, progress, every)
    found = {}
    for condition, views in CONDITIONS.items():
        sampler = ViewSampler(clips, frames=_FRAMES, batch=_WINDOWS, seed=2, views=views)
        batches = []
        for number in range(_BATCHES):
            batches.append(sampler(number))
            progress(number + 1, _BATCHES, condition)
        found[condition] = _scores(network, batches)
    return found


def _scores(network: Lifter, batches: list[ViewBatch]) -> dict[str, LifterScores]:
    truth, lifted, spread, right, off = [], [], [], [], []
    with one_thread(), torch.inference_mode():
        for batch in batches:
            answer = network(batch.features)
            truth.append(_joints(batch.points))
            lifted.append(_joints(answer.points))
            spread.append(np.exp(answer.spread[..., 1 : len(BODY_JOINTS)].numpy()).mean())
            right.append(((answer.contacts > 0) == (batch.contacts > 0.5)).float().mean().item())
            untold = batch.features[:, 0, -1] == 0.0
            cosine = (torch.nn.functional.normalize(answer.up, dim=-1) * batch.up).sum(-1)[untold]
            off.append(torch.rad2deg(torch.acos(cosine.clamp(-1.0, 1.0))).mean().item())
    true, ours = np.concatenate(truth), np.concatenate(lifted)
    known = {
        "stated": _MILLIMETRES * float(np.mean(spread)),
        "contacts": float(np.mean(right)),
        "up": float(np.nanmean(off)),
    }
    flat = true * np.array([1.0, 1.0, 0.0])
    mean = np.broadcast_to(true.mean(axis=0), true.shape)
    return {
        "lifter": _score(ours, true, **known),
        "flat": _score(flat, true),
        "mean": _score(mean, true),
    }


def _joints(points: torch.Tensor) -> Array:
    """(N, 24, 3) of every sixth frame."""
    chosen = points[:, ::_STEP, : len(BODY_JOINTS)].flatten(0, 1)
    return np.asarray(chosen.numpy(), dtype=np.float64)


def _score(points: Array, truth: Array, **known: float) -> LifterScores:
    error = _MILLIMETRES * np.linalg.norm(points - truth, axis=-1)
    aligned = _MILLIMETRES * aligned_error(points, truth)
    return LifterScores(
        float(error[:, 1:].mean()), float(aligned.mean()), error.mean(axis=0), **known
    )


def lifter_table(scores: Mapping[str, Mapping[str, LifterScores]]) -> str:
    """Two tables in Markdown: errors, and those of each joint of the network."""
    names = {"lifter": "lifter", "flat": "flat, without depth", "mean": "mean pose"}
    rows = [
        [
            condition, names[who], f"{s.mpjpe:.0f}", f"{s.pa_mpjpe:.0f}",
            _number(s.stated, "{:.0f}"), _number(100 * s.contacts, "{:.0f} %"), _number(s.up, "{:.1f}°"),
        ]
        for condition, each in scores.items()
        for who, s in each.items()
    ]  # fmt: skip
    head = ["seen", "by", "MPJPE, mm", "PA-MPJPE, mm", "expected by itself, mm", "contacts", "up"]
    joints = [
        [
            name.replace("left_", "").replace("_", " "),
            *(f"{_both(each['lifter'].joints, name):.0f}" for each in scores.values()),
        ]
        for name in BODY_JOINTS[1:]
        if not name.startswith("right_")
    ]
    return f"{block(head, rows)}\n{block(['joint', *(f'{c}, mm' for c in scores)], joints)}"


def _both(joints: Array, name: str) -> float:
    """Mean of a joint and that of the other side."""
    other = name.replace("left_", "right_")
    return float((joints[BODY_JOINTS.index(name)] + joints[BODY_JOINTS.index(other)]) / 2)


def _number(value: float, form: str) -> str:
    return form.format(value) if np.isfinite(value) else UNKNOWN
