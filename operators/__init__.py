"""Buttons: gather, call one function, report."""

from .body_model import PALLAS_OT_add_body_model, PALLAS_OT_correct_skin
from .bone_table import (
    PALLAS_OT_load_bone_map,
    PALLAS_OT_match_bones,
    PALLAS_OT_save_bone_map,
    PALLAS_OT_show_unmapped,
)
from .character import PALLAS_OT_add_character, PALLAS_OT_apply_to_character
from .legs import PALLAS_OT_clear_pins, PALLAS_OT_pin_keys, PALLAS_OT_show_confidence
from .live import (
    PALLAS_OT_add_live_source,
    PALLAS_OT_add_performer,
    PALLAS_OT_connect_live,
    PALLAS_OT_disconnect_live,
    PALLAS_OT_remove_live_source,
    PALLAS_OT_remove_performer,
)
from .live_guides import (
    PALLAS_OT_calibrate_live,
    PALLAS_OT_find_trackers,
    PALLAS_OT_reset_heading,
)
from .live_takes import PALLAS_OT_record_take, PALLAS_OT_solve_take, PALLAS_OT_stop_take
from .marker_exports import PALLAS_OT_export_mot, PALLAS_OT_export_osim, PALLAS_OT_export_trc
from .marker_solving import PALLAS_OT_solve_markers
from .markers import (
    PALLAS_OT_attach_markers,
    PALLAS_OT_import_markers,
    PALLAS_OT_import_osim,
    PALLAS_OT_show_residuals,
)
from .motion_parts import PALLAS_OT_list_parts
from .pictures import PALLAS_OT_render_sheet
from .regenerating import PALLAS_OT_regenerate_legs
from .rendering import RENDERING_OPERATORS
from .retarget import PALLAS_OT_preview_retarget, PALLAS_OT_retarget
from .solving import PALLAS_OT_solve
from .take import PALLAS_OT_load_take
from .video import FILE_HANDLERS, VIDEO_OPERATORS

__all__ = [
    "FILE_HANDLERS",
    "OPERATORS",
    "PALLAS_OT_add_body_model",
    "PALLAS_OT_add_character",
    "PALLAS_OT_add_live_source",
    "PALLAS_OT_add_performer",
    "PALLAS_OT_apply_to_character",
    "PALLAS_OT_attach_markers",
    "PALLAS_OT_calibrate_live",
    "PALLAS_OT_clear_pins",
    "PALLAS_OT_connect_live",
    "PALLAS_OT_correct_skin",
    "PALLAS_OT_disconnect_live",
    "PALLAS_OT_export_mot",
    "PALLAS_OT_export_osim",
    "PALLAS_OT_export_trc",
    "PALLAS_OT_find_trackers",
    "PALLAS_OT_import_markers",
    "PALLAS_OT_import_osim",
    "PALLAS_OT_list_parts",
    "PALLAS_OT_load_bone_map",
    "PALLAS_OT_load_take",
    "PALLAS_OT_match_bones",
    "PALLAS_OT_pin_keys",
    "PALLAS_OT_preview_retarget",
    "PALLAS_OT_record_take",
    "PALLAS_OT_regenerate_legs",
    "PALLAS_OT_remove_live_source",
    "PALLAS_OT_remove_performer",
    "PALLAS_OT_render_sheet",
    "PALLAS_OT_reset_heading",
    "PALLAS_OT_retarget",
    "PALLAS_OT_save_bone_map",
    "PALLAS_OT_show_confidence",
    "PALLAS_OT_show_residuals",
    "PALLAS_OT_show_unmapped",
    "PALLAS_OT_solve",
    "PALLAS_OT_solve_markers",
    "PALLAS_OT_solve_take",
    "PALLAS_OT_stop_take",
]

OPERATORS = (
    PALLAS_OT_load_take,
    PALLAS_OT_calibrate_live,
    PALLAS_OT_find_trackers,
    PALLAS_OT_reset_heading,
    PALLAS_OT_add_live_source,
    PALLAS_OT_add_performer,
    PALLAS_OT_connect_live,
    PALLAS_OT_disconnect_live,
    PALLAS_OT_remove_live_source,
    PALLAS_OT_remove_performer,
    PALLAS_OT_record_take,
    PALLAS_OT_solve_take,
    PALLAS_OT_stop_take,
    PALLAS_OT_solve,
    PALLAS_OT_add_character,
    PALLAS_OT_apply_to_character,
    PALLAS_OT_add_body_model,
    PALLAS_OT_correct_skin,
    PALLAS_OT_list_parts,
    PALLAS_OT_match_bones,
    PALLAS_OT_load_bone_map,
    PALLAS_OT_save_bone_map,
    PALLAS_OT_show_unmapped,
    PALLAS_OT_preview_retarget,
    PALLAS_OT_retarget,
    PALLAS_OT_pin_keys,
    PALLAS_OT_clear_pins,
    PALLAS_OT_regenerate_legs,
    PALLAS_OT_show_confidence,
    PALLAS_OT_import_markers,
    PALLAS_OT_import_osim,
    PALLAS_OT_attach_markers,
    PALLAS_OT_solve_markers,
    PALLAS_OT_show_residuals,
    PALLAS_OT_export_mot,
    PALLAS_OT_export_trc,
    PALLAS_OT_export_osim,
    PALLAS_OT_render_sheet,
    *RENDERING_OPERATORS,
    *VIDEO_OPERATORS,
)
