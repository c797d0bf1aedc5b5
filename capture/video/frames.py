"""Frames of a video in any container, as players show them: turned upright, each with its time.

Reading goes through PyAV (the extra `video`). Damaged packets are left out and counted; a video whose end is
missing gives what there is.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ...rig.errors import FileError, FormatError, ModelError

__all__ = [
    "VIDEO_SUFFIXES",
    "Damage",
    "Picture",
    "VideoFacts",
    "VideoFrame",
    "facts",
    "read_frames",
]

Picture = npt.NDArray[np.uint8]  # (height, width, 3) red, green, blue

VIDEO_SUFFIXES: Final = (
    ".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".mts", ".m2ts", ".ts",
    ".wmv", ".flv", ".3gp", ".ogv", ".gif",
)  # fmt: skip
_LARGEST: Final = 16384  # pixels of a side; a file that says more is damaged
_FASTEST: Final = 1000.0  # frames per second; a rate above is a container's clock, not the video's
_USUAL_FPS: Final = 30.0


class VideoFrame(NamedTuple):
    """One picture and when it is shown, seconds from the video's start."""

    number: int
    time: float
    picture: Picture


@dataclass
class Damage:
    """What could not be read, counted while frames are read."""

    packets: int = 0
    first: str = ""
    odd_sizes: int = 0

    def told(self, kept: int) -> str:
        """One line, empty where all is well."""
        parts = []
        if self.packets:
            parts.append(f"{self.packets} packets are damaged ({self.first})")
        if self.odd_sizes:
            parts.append(f"{self.odd_sizes} frames have another size than the first")
        return f"{' and '.join(parts)}: left out; {kept} frames are kept" if parts else ""


@dataclass(frozen=True)
class VideoFacts:
    """What a video file says of itself; frames are counted by reading them.

    Attributes:
        codec: as FFmpeg calls it.
        size: width and height in pixels as shown, after turning.
        turned: degrees by which players turn the stored picture counter-clockwise.
        fps: mean frames per second.
        frames: how many the container states; None where it does not.
        seconds: how long it states to be; None where it does not.
    """

    codec: str
    size: tuple[int, int]
    turned: int
    fps: float
    frames: int | None
    seconds: float | None
    streams: dict[str, int] = field(default_factory=dict)


def read_frames(path: Path | str, damage: Damage | None = None) -> Iterator[VideoFrame]:
    """The frames of a video's first picture stream, one after the other.

    Grey and transparent pictures become red, green and blue (transparency is left out). A clip without
    times gets those of its rate.

    Args:
        path: any container and codec that FFmpeg reads.
        damage: counts what was left out.

    Raises:
        FileError: it can't be read.
        FormatError: it is no video, or no frame of it can be decoded.
    """
    damage = damage if damage is not None else Damage()
    with _opened(Path(path)) as (container, stream):
        rate = _rate(stream)
        number, size, last = 0, None, -np.inf
        for frame in _decoded(container, stream, damage):
            picture = _upright(frame, damage)
            if picture is None:
                continue
            size = size or picture.shape
            if picture.shape != size:
                damage.odd_sizes += 1
                continue
            time = float(frame.time) if frame.time is not None else number / rate
            if time <= last:  # clocks of damaged files jump back
                time = last + 1.0 / rate
            yield VideoFrame(number, time, picture)
            number, last = number + 1, time
    if number == 0:
        raise FormatError(
            f"{path} holds no frame that can be decoded ({damage.first or 'no packet of pictures'})"
        )


def facts(path: Path | str) -> VideoFacts:
    """What a video is, from its header and its first frame.

    Raises:
        FileError: it can't be read.
        FormatError: it is no video, or its first frame can't be decoded.
    """
    first, damage = None, Damage()
    with _opened(Path(path)) as (container, stream):
        for frame in _decoded(container, stream, damage):
            first = _upright(frame, damage)
            if first is not None:
                break
        if first is None:
            raise FormatError(f"{path} holds no frame that can be decoded ({damage.first})")
        seconds = None
        if stream.duration is not None and stream.time_base is not None:
            seconds = float(stream.duration * stream.time_base)
        elif container.duration is not None:
            seconds = container.duration / 1e6
        return VideoFacts(
            codec=stream.codec_context.name,
            size=(first.shape[1], first.shape[0]),
            turned=round(frame.rotation) % 360,
            fps=_rate(stream),
            frames=stream.frames or None,
            seconds=seconds,
        )


class _opened:  # noqa: N801  used as a function
    """A container and its first picture stream, closed in the end."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> tuple[Any, Any]:
        try:
            import av  # noqa: PLC0415  optional
        except ImportError as error:
            raise ModelError(
                "PyAV is not installed, and reading videos needs it; run `pip install av`"
            ) from error
        path = self.path
        if not path.is_file():
            what = "is a folder" if path.is_dir() else "does not exist"
            raise FileError(f"{path} {what}; expected a video file")
        av.logging.set_level(av.logging.PANIC)
        try:
            self.container = av.open(str(path), metadata_errors="ignore")
        except (av.error.FFmpegError, ValueError, OSError) as error:
            raise FormatError(f"{path} is no video that FFmpeg reads ({_reason(error)})") from error
        if not self.container.streams.video:
            self.container.close()
            raise FormatError(f"{path} holds no pictures; expected a video")
        stream = self.container.streams.video[0]
        stream.thread_type = (
            "NONE"  # threads of its own were seen to wait for each other for ever in Blender
        )
        return self.container, stream

    def __exit__(self, *_: object) -> None:
        self.container.close()


def _decoded(container: Any, stream: Any, damage: Damage) -> Iterator[Any]:  # noqa: ANN401  PyAV
    """Frames that can be decoded; packets that can't are counted."""
    import av  # noqa: PLC0415  optional

    packets = container.demux(stream)
    failed = 0
    while failed < 100:  # a reader that fails for ever has met the end
        try:
            packet = next(packets)
        except StopIteration:
            return
        except (av.error.FFmpegError, ValueError, OSError) as error:
            failed += 1
            _count(damage, error)
            continue
        try:
            yield from packet.decode()
        except av.error.EOFError:
            return
        except (av.error.FFmpegError, ValueError) as error:
            _count(damage, error)


def _count(damage: Damage, error: Exception) -> None:
    damage.packets += 1
    damage.first = damage.first or _reason(error)


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return " ".join(str(text).split())[:100].rstrip(".")


def _upright(frame: Any, damage: Damage) -> Picture | None:  # noqa: ANN401  PyAV
    """The picture as it is shown, or None where it can't be had."""
    import av  # noqa: PLC0415  optional

    if not (0 < frame.width <= _LARGEST and 0 < frame.height <= _LARGEST):
        damage.odd_sizes += 1
        return None
    try:
        picture = frame.to_ndarray(format="rgb24")
    except (av.error.FFmpegError, ValueError) as error:
        _count(damage, error)
        return None
    quarter = round(frame.rotation / 90.0) % 4
    return np.ascontiguousarray(np.rot90(picture, quarter)) if quarter else picture


def _rate(stream: Any) -> float:  # noqa: ANN401  PyAV
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if isinstance(rate, Fraction) and 0 < rate <= _FASTEST:
            return float(rate)
    return _USUAL_FPS
