"""From readings of four trackers to poses: the same as a stream of even frames, whoever looks."""

from pathlib import Path

import numpy as np
import pytest

from pallas.capture.devices.samples import PoseSample, TrackerSample
from pallas.capture.imu import PLACEMENTS
from pallas.capture.recording import read_recording_file
from pallas.capture.session.applied import Applied
from pallas.capture.session.live_calibration import LiveCalibration
from pallas.capture.session.recorder import Recorder
from pallas.neural.live.latency import Latency
from pallas.neural.live.performer import MOST_BEHIND, LivePerformer
from pallas.neural.live.session import LiveSession
from pallas.neural.live.stream import Stream
from pallas.neural.weights import EMBEDDED, load_network
from pallas.rig import RecordingError, body_skeleton, quaternion
from pallas.rig.retarget.bones import Bones

DEMO = Path(__file__).resolve().parents[2] / "neural" / "demo" / "demo.pallas"
WORN = {placement: f"tracker {placement}" for placement in PLACEMENTS}


@pytest.fixture(scope="module")
def network():
    return load_network(EMBEDDED / "pallas")[0]


@pytest.fixture(scope="module")
def demo():
    return read_recording_file(DEMO)


def mounted(recording):
    """The calibration that a recording holds."""
    return LiveCalibration(Applied.mounted(recording.bone_from_sensor))


def readings(recording, count, performer=""):
    """Per moment, what all four trackers say."""
    for row in range(count):
        time = 100.0 + row / 60.0
        yield (
            time,
            [
                TrackerSample(
                    performer + WORN[placement],
                    time,
                    np.nan,
                    recording.world_from_sensor[row, sensor],
                    recording.acceleration[row, sensor],
                )
                for sensor, placement in enumerate(recording.placements)
            ],
        )


class Mailbox(Recorder):
    """A recorder without devices, to which a test hands what came."""

    def __init__(self):
        super().__init__([])
        self.mail = []

    def take(self):
        taken, self.mail = self.mail, []
        return taken


@pytest.fixture
def session(network):
    return LiveSession(Mailbox(), network, clock=lambda: 200.0)


def test_poses_are_those_of_a_stream_of_the_same_frames(network, demo):
    performer = LivePerformer("anna", WORN, network)
    performer.calibration = mounted(demo)
    live = [
        timed.pose
        for time, samples in readings(demo, 90)
        for timed in performer.push(samples, time)
    ]
    stream = Stream(network)
    bones = quaternion.multiply(demo.world_from_sensor, quaternion.conjugate(demo.bone_from_sensor))
    offline = [
        pose
        for frame in zip(bones[:90], demo.acceleration[:90], strict=True)
        for pose in stream.push(*frame)
    ]
    assert len(live) >= 89
    late = len(offline) - len(live)
    for one, other in zip(live, offline[late:] if late else offline, strict=True):
        assert np.abs(one.root_position - other.root_position).max() < 0.02
        turned = np.degrees(quaternion.angle(one.rotations, other.rotations))
        assert np.median(turned) < 0.1


def test_nothing_is_solved_before_a_calibration(network, demo):
    performer = LivePerformer("anna", WORN, network)
    poses = [p for time, samples in readings(demo, 20) for p in performer.push(samples, time)]
    assert poses == []
    assert performer.newest_frame is not None


def test_a_guide_sees_every_frame(network, demo):
    class Watching:
        frames = 0

        def push(self, frame):
            self.frames += 1

    performer = LivePerformer("anna", WORN, network)
    performer.guide = Watching()
    for time, samples in readings(demo, 20):
        performer.push(samples, time)
    assert performer.guide.frames >= 19


def test_frames_that_waited_too_long_are_left_out_and_counted(network, demo):
    performer = LivePerformer("anna", WORN, network)
    performer.calibration = mounted(demo)
    every = list(readings(demo, 60))
    samples = [sample for _, batch in every for sample in batch]
    poses = performer.push(samples, every[-1][0])
    assert len(poses) <= MOST_BEHIND + 1
    assert performer.dropped >= 60 - MOST_BEHIND - 1
    assert poses[-1].arrival == pytest.approx(every[-1][0])


@pytest.mark.parametrize(
    ("sensors", "message"),
    [
        ({p: t for p, t in WORN.items() if p != "neck"}, "no tracker for neck"),
        (WORN | {"neck": WORN["waist"]}, "in two places"),
    ],
)
def test_a_placement_without_a_tracker_of_its_own_is_told(network, sensors, message):
    with pytest.raises(RecordingError, match=message):
        LivePerformer("anna", sensors, network)


def test_two_performers_are_posed_at_once(session, demo):
    for name in ("anna", "ben"):
        worn = {placement: name + tracker for placement, tracker in WORN.items()}
        session.perform(name, worn).calibration = mounted(demo)
    both = zip(readings(demo, 30, "anna"), readings(demo, 30, "ben"), strict=True)
    heard = []
    session.listen(lambda name, pose: heard.append(name))
    for (_, one), (_, other) in both:
        session.recorder.mail = one + other
        session.pump()
    newest = session.newest()
    assert set(newest) == {"anna", "ben"}
    np.testing.assert_allclose(newest["anna"].rotations, newest["ben"].rotations, atol=1e-6)
    assert heard.count("anna") == heard.count("ben") >= 29
    assert session.latency.frames == len(heard)


def test_poses_of_other_programs_are_passed_on(session):
    bones = Bones.of_skeleton(body_skeleton())
    sample = PoseSample("mocopi", 199.9, np.nan, bones, bones.rotations, bones.heads + 1.0)
    broken = PoseSample("rokoko", 199.9, np.nan, bones, bones.rotations * np.nan, bones.heads)
    session.recorder.mail = [sample, broken]
    session.pump()
    assert set(session.newest()) == {"mocopi"}
    np.testing.assert_array_equal(session.newest()["mocopi"].heads, bones.heads + 1.0)
    assert session.latency.quantile(0.5) == pytest.approx(100.0)


def test_a_watcher_hears_every_reading_until_it_is_told_to_stop(session, demo):
    heard = []
    stop = session.watch(heard.extend)
    batches = [samples for _, samples in readings(demo, 3)]
    for samples in batches[:2]:
        session.recorder.mail = samples
        session.pump()
    stop()
    session.recorder.mail = batches[2]
    session.pump()
    assert heard == batches[0] + batches[1]


def test_a_take_that_begins_after_the_calibration_is_told_of_it(session):
    class Notebook:
        def __init__(self):
            self.events = []

        def event(self, kind, **fields):
            self.events.append((kind, fields["performer"], fields["time"]))

        def close(self):
            pass

    session.perform("anna", WORN)
    session.event("mounting", "anna", heading={"waist": 0.5})
    log = Notebook()
    session.record(log)
    session.event("heading", "anna")
    assert log.events == [(kind, "anna", 200.0) for kind in ("placing", "mounting", "heading")]
    session.perform("anna", WORN)  # whoever puts trackers on anew is not calibrated
    again = Notebook()
    session.record(again)
    assert again.events == [("placing", "anna", 200.0)]


def test_delays_are_told_as_quantiles_of_the_last_minute():
    latency = Latency()
    for milliseconds in range(1, 102):
        latency.add(milliseconds / 1000.0)
    latency.dropped = 3
    assert latency.report() == {"frames": 101, "p50_ms": 51.0, "p95_ms": 96.0, "dropped": 3}
