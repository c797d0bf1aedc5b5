"""The picture of an augmenter's attention."""

from collections.abc import Sequence
from pathlib import Path

from ..capture.output import new_file
from ..rig.arrays import Array
from ..rig.errors import OutputError
from .plot_style import STYLE

__all__ = ["draw_attention"]


def draw_attention(path: Path, names: Sequence[str], weights: Array, *, force: bool) -> None:
    """Write a heat map: keypoints across, frames down, as the source paper's figure 4.

    Args:
        path: of the PNG.
        names: of K keypoints.
        weights: (T, K), rows sum to 1.
        force: replace a file that is there.

    Raises:
        OutputError: it is there already and `force` is off, or matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError as error:
        raise OutputError("pictures need matplotlib; run pip install matplotlib") from error
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.0, 5.0), layout="constrained")
        axes = figure.subplots()
        image = axes.imshow(weights, aspect="auto", cmap="viridis", vmin=0.0)
        axes.set_xticks(range(len(names)), names, rotation=60, ha="right")
        axes.set_ylabel("frame at 60 Hz")
        axes.set_title("How much each keypoint counts; every row sums to 1")
        axes.grid(visible=False)
        figure.colorbar(image)
        with new_file(path, force=force) as temporary:
            figure.savefig(temporary, dpi=120, metadata={"Software": None})
