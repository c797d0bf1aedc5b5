"""The leg generator: lower bodies that fit an upper body, as many as are asked for (report section 4.4)."""

from .generate import generate, generate_posed
from .infill import infill
from .options import GeneratorOptions
from .seated import seated

__all__ = ["GeneratorOptions", "generate", "generate_posed", "infill", "seated"]
