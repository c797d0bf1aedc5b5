"""Legs of somebody who sits: for wheelchair users, whose legs no motion library knows."""

from ...rig.motion import Motion

__all__ = ["seated"]


def seated(motion: Motion, seat_height: float | None = None) -> Motion:
    """Seat a motion: pelvis at one place and height, both feet flat on the floor in front of it.

    The pelvis' orientation and the whole upper body stay as sensed. The root does not travel: four sensors on
    the upper body can't tell how far a wheelchair rolled, so the chair stays where the motion begins. Feet
    follow the chair's heading, which is the pelvis' heading smoothed over a second.

    Args:
        motion: 24 joints at any rate.
        seat_height: metres, of the pelvis joint above the floor (about 0.09 m above the seat's surface for
            somebody 1.70 m tall); None for a seat on which the thighs are level and the shanks upright.

    Raises:
        ShapeError: the seat is too high for the feet to reach the floor, or too low for the legs to fold.
    """
    raise NotImplementedError
