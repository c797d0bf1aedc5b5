"""Where people are: rooms, open sky, studios, and the user's own panoramas and pictures."""

from .made import Surroundings
from .room import add_room
from .sky import add_sky
from .studio import add_studio

__all__ = ["Surroundings", "add_room", "add_sky", "add_studio"]
