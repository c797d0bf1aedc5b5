"""Root translation: a standing foot stays, the floor holds, flight goes on."""

import numpy as np

from pallas.neural.root import SOLES, RootEvidence, integrate_root
from pallas.rig import BODY_JOINTS, body_skeleton

FPS = 60.0


def evidence(frames: int, **changes: np.ndarray) -> RootEvidence:
    """A body at rest, seen from its root, that says nothing of itself."""
    skeleton = body_skeleton()
    joints = np.tile(skeleton.rest_positions - skeleton.offsets[0], (frames, 1, 1))
    values = {
        "joints": joints,
        "contacts": np.zeros((frames, 2)),
        "velocity": np.zeros((frames, 3)),
        "height": np.full(frames, skeleton.offsets[0, 2]),
    }
    return RootEvidence(**{**values, **changes}, scale=1.0)


def test_without_contact_the_network_s_velocity_is_integrated():
    velocity = np.tile([1.0, -0.5, 0.0], (61, 1))
    root = integrate_root(evidence(61, velocity=velocity), FPS)
    np.testing.assert_allclose(root[-1, :2], [1.0, -0.5], atol=1e-9)


def test_a_standing_foot_stays_where_it_is_while_the_leg_sweeps_back():
    frames = 61
    joints = np.array(evidence(frames).joints)
    foot, ankle = BODY_JOINTS.index("left_foot"), BODY_JOINTS.index("left_ankle")
    sweep = np.linspace(0.3, -0.3, frames)
    joints[:, foot, 1] += sweep
    joints[:, ankle, 1] += sweep
    contacts = np.tile([1.0, 0.0], (frames, 1))
    wrong = np.tile([5.0, 5.0, 0.0], (frames, 1))
    root = integrate_root(evidence(frames, joints=joints, contacts=contacts, velocity=wrong), FPS)
    planted = root[:, 1] + joints[:, foot, 1]
    np.testing.assert_allclose(planted, planted[0], atol=1e-9)


def test_the_lowest_sole_stands_on_the_floor_whatever_height_the_network_says():
    wrong = np.full(120, 1.3)
    contacts = np.ones((120, 2))
    root = integrate_root(evidence(120, height=wrong, contacts=contacts), FPS)
    feet = [BODY_JOINTS.index(n) for n in ("left_ankle", "right_ankle", "left_foot", "right_foot")]
    soles = root[:, 2, None] + evidence(120).joints[:, feet, 2]
    np.testing.assert_allclose(soles, np.tile(SOLES, (120, 1)), atol=0.01)


def test_no_sole_sinks_below_the_floor_in_flight():
    root = integrate_root(evidence(60, height=np.full(60, 0.5)), FPS)
    assert (root[:, 2] + evidence(60).joints[:, :, 2].min(axis=1)).min() > -1e-9


def test_the_height_never_jumps_when_a_foot_lands():
    contacts = np.zeros((120, 2))
    contacts[60:] = 1.0
    root = integrate_root(evidence(120, height=np.full(120, 1.1), contacts=contacts), FPS)
    assert np.abs(np.diff(root[:, 2])).max() < 0.05
