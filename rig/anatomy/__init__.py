"""The anatomical model in the package: lower body, trunk, head and arms, with markers, in OpenSim's terms."""

from .measured import measured_weights, without_unseen
from .model import anatomical_model
from .motion import motion_of_anatomy

__all__ = ["anatomical_model", "measured_weights", "motion_of_anatomy", "without_unseen"]
