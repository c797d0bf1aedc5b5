"""Retargeting as a job: how far it is, read in slices, ended by a cancel, errors told at the end."""

import threading
import time

import pytest

pytestmark = pytest.mark.blender
bpy = pytest.importorskip("bpy")

from pallas.operators.retarget_job import RetargetJob  # noqa: E402
from pallas.rig.errors import PallasError  # noqa: E402


def counted(number, closed=None, fail=None):
    """Steps that take a hundredth of a second each."""
    try:
        for k in range(number):
            time.sleep(0.01)
            if k == fail:
                raise PallasError("frame 3 can't be read")
            yield (k + 1) / number
        return "read"
    finally:
        if closed is not None:
            closed.append(True)


def until(condition):
    end = time.monotonic() + 10.0
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_reading_goes_on_in_slices_and_the_fraction_grows_to_the_end():
    pieces, seen = ("matching", "retargeting", "writing"), []

    def then(read, tell):
        for k, piece in enumerate(pieces):
            tell(piece, k / 2)
            seen.append((job.piece, job.fraction))
        return f"{read} and done"

    job = RetargetJob(counted(30), then)
    assert not job.done()  # a slice is shorter than all of it
    assert job.reading
    assert 0.0 < job.fraction < 0.6
    looks = [job.fraction]
    until(lambda: looks.append(job.fraction) or job.done())
    assert looks == sorted(looks)
    assert job.result() == "read and done"
    assert [piece for piece, _ in seen] == list(pieces)
    assert [round(fraction, 3) for _, fraction in seen] == [0.6, 0.8, 1.0]


def test_what_needs_no_main_thread_is_all_beside_it():
    job = RetargetJob(None, lambda read, tell: (read, threading.current_thread()))
    assert not job.reading
    read, thread = job.result()
    assert read is None
    assert thread is not threading.main_thread()


def test_a_cancel_while_reading_lets_go_of_what_is_read_and_nothing_follows():
    closed, after = [], []
    job = RetargetJob(counted(30, closed), lambda read, tell: after.append(read))
    job.done()
    job.cancel()
    assert closed == [True]
    assert after == []


def test_a_cancel_ends_the_work_where_it_tells_next():
    reached, go, ended = [], threading.Event(), threading.Event()

    def then(read, tell):
        try:
            tell("matching", 0.0)
            reached.append("matching")
            go.wait(10.0)
            tell("retargeting", 0.5)
            reached.append("retargeting")
        finally:
            ended.set()

    job = RetargetJob(None, then)
    until(lambda: reached)
    job.cancel()
    go.set()
    assert ended.wait(10.0)
    assert reached == ["matching"]


def test_an_error_while_reading_is_raised_where_the_result_is_asked_for():
    job = RetargetJob(counted(5, fail=2), lambda read, tell: None)
    until(job.done)
    with pytest.raises(PallasError, match="frame 3"):
        job.result()
