"""Small videos with known pictures, as tests need them."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

# What a codec with loss may change of a flat colour.
NEARLY = 12


def write_video(
    path: Path,
    pictures: list[np.ndarray],
    *,
    fps: int = 30,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    times: list[float] | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Encode pictures (H, W, 3 or 4) or (H, W); `times` in seconds make the rate vary."""
    shapes = {2: "gray", 3: "rgb24"}
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=fps, options=options or {})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = pixels
        clock = Fraction(1, 1000) if times is not None else Fraction(1, fps)
        stream.time_base = stream.codec_context.time_base = clock
        for number, picture in enumerate(pictures):
            kind = "rgba" if picture.shape[-1] == 4 else shapes[picture.ndim]
            frame = av.VideoFrame.from_ndarray(picture, format=kind)
            frame.pts = number if times is None else round(1000 * times[number])
            frame.time_base = clock
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def turn_display(path: Path, degrees: int) -> Path:
    """Write into an MP4's track header that players turn its picture clockwise, as phones do."""
    rows = {90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}[degrees]
    data = bytearray(path.read_bytes())
    start = data.index(b"tkhd") + 4
    place = start + (52 if data[start] == 1 else 40)
    a, b, c, d = (int(value * 0x10000).to_bytes(4, "big", signed=True) for value in rows)
    nought = bytes(4)
    data[place : place + 36] = (
        a + b + nought + c + d + nought + nought + nought + (1 << 30).to_bytes(4, "big")
    )
    path.write_bytes(bytes(data))
    return path


def quarters(height: int = 64, width: int = 48) -> np.ndarray:
    """A picture whose quarters are red, green (above), blue and white (below)."""
    picture = np.zeros((height, width, 3), np.uint8)
    y, x = height // 2, width // 2
    picture[:y, :x], picture[:y, x:] = (255, 0, 0), (0, 255, 0)
    picture[y:, :x], picture[y:, x:] = (0, 0, 255), (255, 255, 255)
    return picture
