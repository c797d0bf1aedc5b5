"""OpenSim models out: anew, or into the file that a model was read from."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ..rig.arrays import Array
from ..rig.model import KinematicModel
from .osim_build import format_osim
from .osim_names import with_legal_names
from .osim_template import filled_template
from .textfile import naming, read_text, write_text

__all__ = ["write_osim"]


def write_osim(
    path: Path | str,
    model: KinematicModel,
    template: Path | str | None = None,
    *,
    scales: Mapping[str, float | Sequence[float] | Array] | None = None,
    force: bool = False,
) -> None:
    """Write a model for OpenSim.

    Made anew, the file has bodies, joints, couplers and markers alone; see `osim_build`. With a template it
    has everything else that the template has, as it is there: muscles, masses and inertias, wrap objects. Of
    a scaled model only joints, markers and shown geometry are scaled.

    Args:
        path: of the .osim file.
        model: any; with a template, one that was read from it, and then scaled, registered, or changed in its
            coordinates and markers.
        template: the .osim file that the model was read from.
        scales: the factors by body with which the model was `scaled`, for the template's geometry.
        force: write over what is there.

    Raises:
        FileError: the template can't be read.
        FormatError: OpenSim has no such joint, or the template is of another model; the message names it.
        OutputError: something is there already, or it can't be written.
    """
    model = with_legal_names(model)
    if template is None:
        text = format_osim(model)
    else:
        factors = {b: np.broadcast_to(np.asarray(f), (3,)) for b, f in (scales or {}).items()}
        content = read_text(template)
        with naming(template):
            text = filled_template(model, content, factors)
    write_text(path, text, force=force)
