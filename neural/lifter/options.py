"""What varies from view to view when the lifter is trained."""

from dataclasses import dataclass, replace

__all__ = ["Views"]


@dataclass(frozen=True)
class Views:
    """Ranges, probabilities and standard deviations; metres are those of a body 1.70 m tall.

    Every error of a window is multiplied by a level drawn evenly from 0 to `worst`.

    Attributes:
        mirror: probability that left and right of the body are exchanged.
        proportions: standard deviation of the logarithm of a bone's length.
        nearest: metres to the nearest place of the window's path, at least ...
        farthest: ... and at most, drawn evenly in the logarithm.
        lowest: metres of the camera above the floor, at least ...
        highest: ... and at most.
        aim: radians by which the camera looks past the person.
        roll: radians about its axis.
        focal: standard deviation of the logarithm of the focal length that is taken for the true one.
        up_known: probability that the direction of up is given.
        up_error: radians of what is given.
        worst: largest level of errors.
        bias: metres by which a keypoint lies beside its joint, constant in a window ...
        wander: ... wandering slowly ...
        noise: ... and frame by frame.
        wander_time: seconds over which the wandering forgets itself.
        outliers: probability of a keypoint in a frame that is anywhere near.
        whole: probability that a window has all keypoints, not those of one layout.
        gaps: probability that a keypoint is missing for a stretch of the window.
        limbs: probability that an arm, a leg, the head or all below the hips are missing for a stretch.
        swaps: probability that left and right are exchanged for a stretch.
    """

    mirror: float = 0.5
    proportions: float = 0.06
    nearest: float = 1.5
    farthest: float = 14.0
    lowest: float = 0.2
    highest: float = 3.0
    aim: float = 0.25
    roll: float = 0.06
    focal: float = 0.03
    up_known: float = 0.6
    up_error: float = 0.02
    worst: float = 1.5
    bias: float = 0.018
    wander: float = 0.012
    noise: float = 0.008
    wander_time: float = 0.4
    outliers: float = 0.004
    whole: float = 0.3
    gaps: float = 0.1
    limbs: float = 0.12
    swaps: float = 0.05

    def unvaried(self) -> "Views":
        """The motion as it was, from as many places; keypoints have errors still. For measuring."""
        return replace(self, mirror=0.0, proportions=0.0)

    def perfect(self) -> "Views":
        """Keypoints exactly where they belong, all of them."""
        return replace(
            self.unvaried(),
            worst=0.0,
            outliers=0.0,
            whole=1.0,
            gaps=0.0,
            limbs=0.0,
            swaps=0.0,
            focal=0.0,
        )
