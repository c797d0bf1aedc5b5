"""Training a pose network on a COCO folder: resumable, seeded, by steps or by minutes."""

import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

from ...rig.errors import ModelError
from ..settings import settings_from
from ..training.checkpoint import (
    average_towards,
    checked_checkpoint,
    learning_rate,
    read_checkpoint,
    used_up,
)
from ..training.group import Group, process_group
from ..training.journal import Journal
from ..training.options import Plan, TrainingOptions
from .coco_set import Labelled, labelled_pictures
from .look import normalised
from .losses import paf_losses
from .network import PafConfig, PafNetwork, with_stages
from .sampler import PoseBatch, PoseSampler
from .stored import load_paf, save_paf
from .variation import Variation

__all__ = ["fit_pose2d", "train_pose2d"]

Progress = Callable[[int, int, str], None]
_UNIT: Final = (
    1000.0  # the sums of squares of a picture are divided by this, for the gradients' sake
)


def train_pose2d(plan: Plan, root: Path, out: Path, progress: Progress) -> Path:
    """Train on a COCO folder; the file with the weights.

    Args:
        plan: `network` has fields of `PafConfig`, `variation` those of `Variation`; of `training` the
            schedule counts, with `start` (weights of the same backbone, from which only the first stages are
            kept where there are more).
        root: folder with `annotations/` and pictures, as `pallas render` or COCO have them, or with several
            such folders.
        out: folder for checkpoint, log and weights; a run that was stopped there goes on.
        progress: told (done, all, one line).

    Raises:
        FileError, FormatError: the folder is no COCO data set, or a setting is wrong.
    """
    config = settings_from(PafConfig, plan.network, "the pose network")
    weights = out / f"{plan.name}.safetensors"
    if not (weights.exists() and weights.with_suffix(".json").exists()):
        variation = settings_from(Variation, plan.variation, "the variation")
        splits = [labelled_pictures(root, split) for split in ("train", "validation")]
        fit_pose2d(plan, config, splits[0], splits[1], out, progress, variation)
    return weights


def fit_pose2d(
    plan: Plan,
    config: PafConfig,
    training: Sequence[Labelled],
    validation: Sequence[Labelled],
    folder: Path,
    progress: Progress,
    variation: Variation | None = None,
) -> PafNetwork:
    """Train, or go on from the checkpoint that `folder` holds; the averaged weights, also written there.

    What `torchrun` starts shares each batch.
    """
    options, variation = plan.training, variation or Variation()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    layout, batch = config.paf_layout, options.batch
    sampler = PoseSampler(training, layout, variation, batch, options.seed)
    other = PoseSampler(validation, layout, variation.unvaried(), batch, options.seed + 1)
    with process_group(options.device) as (group, device):
        count = math.ceil(options.validation / batch) if group.leads else 0
        held = [other(number) for number in range(count)]
        run = _Run(config, folder, options, group, device)
        _train(run, sampler, held, progress)
        extra = {"training": asdict(options), "variation": asdict(variation), "steps": run.step}
        extra |= {
            "pictures": len(training),
            "minutes": round(run.seconds / 60.0, 2),
            "validation": run.measured,
        }
        if group.leads:
            save_paf(folder / plan.name, run.averaged.cpu(), extra)
    return run.averaged.eval()


def _train(
    run: "_Run", sampler: PoseSampler, held: Sequence[PoseBatch], progress: Progress
) -> None:
    """Step until the budget is used up; the next batch is drawn meanwhile."""
    options, group = run.options, run.group
    rows = group.rows(options.batch)
    clock = time.process_time if options.clock == "processor" else time.monotonic
    started = clock() - run.seconds
    with ThreadPoolExecutor(1) as drawing:
        ahead = drawing.submit(sampler, run.step, rows)
        while (done := group.agreed(run.done)) < 1.0:
            before = time.perf_counter()
            drawn, ahead = ahead.result(), drawing.submit(sampler, run.step + 1, rows)
            terms = run.advance(drawn, done)
            run.seconds = clock() - started
            line = " ".join(f"{name} {float(value.detach()):.4f}" for name, value in terms.items())
            steps = round(run.step / max(run.done, 1e-9)) if options.minutes else options.steps
            progress(run.step, steps, f"{time.perf_counter() - before:.2f} s/step {line}")
            if run.step % options.checkpoint_every == 0 or group.agreed(run.done) >= 1.0:
                run.checkpoint(terms, held)


class _Run:
    """Network, optimiser and averaged weights at one step."""

    def __init__(
        self,
        config: PafConfig,
        folder: Path,
        options: TrainingOptions,
        group: Group,
        device: torch.device,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.options, self.group, self.device = folder, options, group, device
        self.network, self.averaged = (PafNetwork(config).to(device) for _ in range(2))
        if options.start:
            _start_from(self.network, Path(options.start))
        self.averaged.load_state_dict(self.network.state_dict())
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), options.learning_rate, weight_decay=0.01, fused=True
        )
        self.step, self.seconds = 0, 0.0
        self.measured: dict[str, float] = {}
        self._resume()
        self.journal = Journal(folder, self.step) if group.leads else None

    @property
    def done(self) -> float:
        """Part of the budget that is used up."""
        return used_up(self.options, self.step, self.seconds)

    def losses(self, network: PafNetwork, batch: PoseBatch) -> dict[str, Tensor]:
        """Each term summed over maps, points and stages, in thousands."""
        device = self.device
        with torch.autocast(device.type, torch.bfloat16, enabled=self.options.mixed):
            pictures = normalised(batch.pictures.to(device))
            found = network(pictures.contiguous(memory_format=torch.channels_last))
        wanted = batch.wanted
        moved = wanted._replace(
            maps=type(wanted.maps)(*(maps.to(device) for maps in wanted.maps)),
            region=wanted.region.to(device),
            confidence=wanted.confidence.to(device),
            pafs=wanted.pafs.to(device),
        )
        return {name: value / _UNIT for name, value in paf_losses(found, moved).items()}

    def advance(self, batch: PoseBatch, done: float) -> dict[str, Tensor]:
        """One optimiser step, `done` of the way."""
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.options, self.step, done)
        self.network.train()
        terms = self.losses(self.network, batch)
        self.optimiser.zero_grad(set_to_none=True)
        torch.stack(list(terms.values())).sum().backward()
        self.group.average_gradients(self.network)
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        average_towards(self.averaged, self.network, self.options.averaging, self.step)
        return terms

    def checkpoint(self, terms: dict[str, Tensor], held: Sequence[PoseBatch]) -> None:
        """Measure on held-out pictures, and write the log and everything from which to go on."""
        if self.journal is not None:
            self.averaged.eval()
            with torch.no_grad():
                found = [self.losses(self.averaged, batch) for batch in held]
            self.measured = {
                name: sum(float(one[name]) for one in found) / len(found) for name in terms
            }
            counts = {"step": self.step, "seconds": self.seconds}
            state = (self.folder, self.network, self.averaged, self.optimiser)
            values = checked_checkpoint(*state, counts, (terms, self.measured))
            self.journal.add(self.step, values)
        self.group.wait()

    def _resume(self) -> None:
        found = read_checkpoint(
            self.folder, self.network, self.averaged, self.optimiser, ("step", "seconds")
        )
        if found is not None:
            self.step, self.seconds = int(found["step"]), found["seconds"]


def _start_from(network: PafNetwork, path: Path) -> None:
    """Copy finished weights; of more stages the first, of fewer all there are."""
    suffixed = path if path.suffix else path.with_suffix(".safetensors")
    source = load_paf(suffixed)
    source = with_stages(source, min(source.config.stages, network.config.stages))
    own = network.state_dict()
    given = source.state_dict()
    if any(name not in own or own[name].shape != t.shape for name, t in given.items()):
        raise ModelError(f"the weights {path} are of another network; start from the same backbone")
    network.load_state_dict(own | given)
