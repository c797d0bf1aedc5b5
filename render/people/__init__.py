"""People to render: bodies of the package in skin, hair and clothes that are drawn at random."""

from .ground import ground_lift
from .look import Look, draw_look
from .person import Person, make_person

__all__ = ["Look", "Person", "draw_look", "ground_lift", "make_person"]
