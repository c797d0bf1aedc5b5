"""What a marker fit makes a user look at, a line each."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from ..rig.arrays import Array

if TYPE_CHECKING:
    from ..rig.solve.swaps import Swap

__all__ = ["told_of", "told_reference", "told_swaps"]

_LISTED = 8
_BADLY = 40.0  # mm of weighted RMS, above which a model does not suit the recording
_USUAL_SIZE = (0.6, 1.6)  # of a body beside the model's; outside, something else is wrong


def told_of(
    report: dict[str, Any], tasks_left_out: Sequence[str], root: Collection[str] = ()
) -> list[str]:
    """Warnings about a report, of a model whose root has these coordinates."""
    found = []
    for key, what in (
        ("markers_left_out", "are measured, but the model lacks them or they have no weight"),
        ("markers_missing", "are the model's, but the recording lacks them"),
    ):
        if report[key]:
            found.append(f"{len(report[key])} markers {what}: {_listed(report[key])}")
    if tasks_left_out:
        found.append(f"no value for the tasks of {_listed(tasks_left_out)}; these are left out")
    if report["weak_frames"]:
        spans = [_span(span) for span in report["weak_seconds"]]
        found.append(
            f"{report['weak_frames']} frames show too few markers ({_listed(spans)}); their poses are "
            "carried over from their neighbours"
        )
    limits = report["coordinates_at_limits"]
    if limits:
        shares = [f"{name} ({100.0 * share:.0f} %)" for name, share in limits.items()]
        found.append(f"at or beyond a limit for more than 5 % of the frames: {_listed(shares)}")
    stuck = [name for name in limits if name in root]
    if stuck:
        found.append(
            f"the person faces, leans or goes beyond what {_listed(stuck)} of the model's root allows: widen "
            "its range in the model, or turn the recording"
        )
    if report["weighted_rms_mm"] > _BADLY:
        found.append(
            f"the markers are {report['weighted_rms_mm']:.0f} mm off: is the model scaled to the person, and "
            "are its markers where they were? --scale and --fit-markers do both"
        )
    odd = [
        f"{body} ({scale[0]:.2f})"
        for body, scale in report["scales"].items()
        if not _USUAL_SIZE[0] < scale[0] < _USUAL_SIZE[1]
    ]
    if odd:
        found.append(f"unlikely sizes beside the model's: {_listed(odd)}")
    return found


def told_swaps(swaps: Sequence["Swap"], times: Array, *, fixed: bool) -> list[str]:
    """What names were exchanged, and what was done about it; those of the same frames in one line."""
    what = "were exchanged, which is put right" if fixed else "look exchanged; see --fix-swaps"
    by_frames: dict[tuple[int, int], list[Swap]] = {}
    for swap in sorted(swaps, key=lambda swap: (swap.first, swap.stop)):
        by_frames.setdefault((swap.first, swap.stop), []).append(swap)
    found = []
    for (first, stop), some in by_frames.items():
        names = [
            "all names of left and right"
            if swap.kind == "all left and right"
            else " and ".join(swap.names)
            for swap in some
        ]
        span = _span((float(times[first]), float(times[stop - 1])))
        when = (
            "in every frame"
            if stop - first == len(times)
            else f"in frames {first} to {stop - 1} ({span})"
        )
        before, after = (
            1000.0 * max(getattr(swap, k) for swap in some) for k in ("before", "after")
        )
        found.append(
            f"{_listed(names)} {what}: {when}, {before:.0f} mm off as named, {after:.0f} mm else"
        )
    return found


def told_reference(errors: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Differences from a reference as people read them, the largest angles first."""
    order = sorted(errors, key=lambda name: (errors[name]["unit"] != "deg", -errors[name]["rms"]))
    return {f"  {name}": f"{errors[name]['rms']:.2f} {errors[name]['unit']}" for name in order}


def _listed(names: Sequence[str]) -> str:
    """The first few of some names."""
    few = ", ".join(names[:_LISTED])
    return few if len(names) <= _LISTED else f"{few} and {len(names) - _LISTED} more"


def _span(seconds: Sequence[float]) -> str:
    first, last = seconds
    return f"{first:.2f} s" if first == last else f"{first:.2f} to {last:.2f} s"
