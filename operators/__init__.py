"""Buttons: gather, call one function, report."""

from .character import PALLAS_OT_add_character, PALLAS_OT_apply_to_character
from .pictures import PALLAS_OT_render_sheet
from .solving import PALLAS_OT_solve
from .take import PALLAS_OT_load_take

__all__ = [
    "OPERATORS",
    "PALLAS_OT_add_character",
    "PALLAS_OT_apply_to_character",
    "PALLAS_OT_load_take",
    "PALLAS_OT_render_sheet",
    "PALLAS_OT_solve",
]

OPERATORS = (
    PALLAS_OT_load_take,
    PALLAS_OT_solve,
    PALLAS_OT_add_character,
    PALLAS_OT_apply_to_character,
    PALLAS_OT_render_sheet,
)
