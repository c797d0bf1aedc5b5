"""What a dataset holds, as one HTML page with plots: people, sizes, cameras, poses."""

import html
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np

from ...rig.skeleton import BODY_JOINTS
from .landmarks import COCO
from .spec import Spec

__all__ = ["statistics_page"]

_STYLE: Final = (
    "body{font:15px/1.45 system-ui,sans-serif;max-width:1080px;margin:2em auto;color:#222;padding:0 1em}"
    "h1{font-size:1.5em}.plots{display:flex;flex-wrap:wrap;gap:1.2em}figure{margin:0}"
    "figcaption{font-size:.9em;color:#444;margin-bottom:.3em}table{border-collapse:collapse}"
    "td{padding:.15em 1.2em .15em 0}text{font:10px system-ui,sans-serif;fill:#555}"
)
_COLOUR: Final = "#0072b2"
_WIDE, _TALL, _FOOT, _EDGE = 320, 150, 22, 8
_ANGLES: Final = (
    ("elbow", "shoulder", "elbow", "wrist"),
    ("knee", "hip", "knee", "ankle"),
    ("hip", "spine3", "hip", "knee"),
    ("shoulder", "elbow", "shoulder", "hip"),
)


class _Gathered:
    """Numbers of all frames, in bins of known width so that no frame is kept."""

    def __init__(self) -> None:
        self.bins: dict[str, dict[int, int]] = {}
        self.widths: dict[str, float] = {}
        self.frames = self.images = self.people = 0
        self.seen = np.zeros((len(COCO), 3), dtype=np.int64)

    def add(self, name: str, value: float, width: float) -> None:
        if np.isfinite(value):
            row = self.bins.setdefault(name, {})
            place = int(np.floor(value / width))
            row[place] = row.get(place, 0) + 1
            self.widths[name] = width


def statistics_page(spec: Spec, records: Iterable[dict[str, Any]]) -> str:
    """The page for a dataset's records; the same records give the same page."""
    found = _Gathered()
    for record in records:
        found.frames += 1
        for person in record["world"]:
            _add_pose(found, person)
        for view in record["views"]:
            found.images += 1
            _add_view(found, spec, record, view)
    return _page(spec, found)


def _add_pose(found: _Gathered, person: dict[str, Any]) -> None:
    joints = np.array(person["points"]["joints_24"])

    def at(side: str, name: str) -> Any:  # noqa: ANN401  (3,)
        return joints[BODY_JOINTS.index(name if name in BODY_JOINTS else f"{side}_{name}")]

    for told, first, middle, last in _ANGLES:
        for side in ("left", "right"):
            one, other = at(side, first) - at(side, middle), at(side, last) - at(side, middle)
            cosine = one @ other / (np.linalg.norm(one) * np.linalg.norm(other) + 1e-12)
            degrees = float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))
            found.add(f"Angle at the {told} (°)", degrees, 10.0)
    found.add("Height of the pelvis (m)", float(at("", "pelvis")[2]), 0.1)


def _add_view(found: _Gathered, spec: Spec, record: dict[str, Any], view: dict[str, Any]) -> None:
    camera = view["camera"]
    turn, along = np.array(camera["camera_from_world"]), np.array(camera["translation"])
    place = -turn.T @ along
    found.add("Height of the camera (m)", float(place[2]), 0.2)
    found.add("Lens (mm)", camera["lens_mm"], 5.0)
    found.add(
        "Looking up or down (°)", float(np.degrees(np.arcsin(np.clip(turn[2, 2], -1, 1)))), 5.0
    )
    found.add("People in a picture", len(view["people"]), 1.0)
    roots = {p["person"]: np.array(p["points"]["joints_24"]) for p in record["world"]}
    for person in view["people"]:
        found.people += 1
        found.add(
            "Height of a person (of the picture's)", person["bbox"][3] / spec.image.height, 0.1
        )
        joints = roots[person["person"]]
        found.add("Distance to a person (m)", float(np.linalg.norm(joints[0] - place)), 0.5)
        found.add("Seen from (°, 0 is the front)", _side(joints, place), 30.0)
        for row, (*_, flag) in enumerate(person["points"]["coco_17"]):
            found.seen[row, flag] += 1


def _side(joints: Any, place: Any) -> float:  # noqa: ANN401  arrays
    """Degrees about the vertical from where the hips face to where the camera is."""
    across = joints[BODY_JOINTS.index("left_hip")] - joints[BODY_JOINTS.index("right_hip")]
    facing = np.cross(across, (0.0, 0.0, 1.0))
    way = place - joints[0]
    angle = np.arctan2(way[1], way[0]) - np.arctan2(facing[1], facing[0])
    # Half a bin is added so that the front's bin is centred on it.
    return float((np.degrees(angle) + 195.0) % 360.0 - 195.0 + 15.0)


def _page(spec: Spec, found: _Gathered) -> str:
    rows = {
        "clips": spec.dataset.clips,
        "frames": found.frames,
        "pictures": f"{found.images}, {spec.image.width} by {spec.image.height} pixels",
        "people in them": found.people,
        "seed": spec.dataset.seed,
        "spec": spec.digest[:16],
    }
    table = "".join(f"<tr><td>{k}</td><td>{html.escape(str(v))}</td></tr>" for k, v in rows.items())
    plots = "".join(
        _histogram(name, row, found.widths[name]) for name, row in sorted(found.bins.items())
    )
    return (
        '<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>Dataset</title>'
        f"<style>{_STYLE}</style>\n<h1>Dataset</h1><table>{table}</table>\n"
        f'<h2>Distributions</h2><div class="plots">\n{plots}{_visibility(found.seen)}</div></html>\n'
    )


def _histogram(name: str, bins: dict[int, int], width: float) -> str:
    first, last = min(bins), max(bins)
    counts = [bins.get(place, 0) for place in range(first, last + 1)]
    edges = [f"{(first + k) * width:g}" for k in range(len(counts) + 1)]
    return _bars(name, counts, edges)


def _bars(name: str, counts: Sequence[int], edges: Sequence[str]) -> str:
    """Bars as SVG: no library, the same bytes."""
    step = (_WIDE - 2 * _EDGE) / len(counts)
    most = max(*counts, 1)
    parts = []
    for row, count in enumerate(counts):
        tall = (_TALL - _FOOT - 14) * count / most
        parts.append(
            f'<rect x="{_EDGE + row * step + 0.5:.1f}" y="{_TALL - _FOOT - tall:.1f}" '
            f'width="{max(step - 1, 0.5):.1f}" height="{tall:.1f}" fill="{_COLOUR}">'
            f"<title>{count}</title></rect>"
        )
    every = max(-(-len(edges) // 9), 1)
    for row in range(0, len(edges), every):
        x = _EDGE + row * step
        parts.append(f'<text x="{x:.1f}" y="{_TALL - 8}" text-anchor="middle">{edges[row]}</text>')
    parts.append(f'<text x="{_EDGE}" y="10">most: {most}</text>')
    caption = f"<figcaption>{html.escape(name)}</figcaption>"
    return _figure(caption, parts, _TALL)


def _visibility(seen: Any) -> str:  # noqa: ANN401  (K, 3)
    """How often each keypoint is seen, hidden, outside."""
    colours = ("#cccccc", "#e69f00", "#009e73")
    tall = 14 * len(COCO) + 30
    parts = []
    for row, name in enumerate(COCO):
        total = max(int(seen[row].sum()), 1)
        x = 110.0
        parts.append(f'<text x="104" y="{14 * row + 24}" text-anchor="end">{name}</text>')
        for flag in (2, 1, 0):
            wide = 200.0 * int(seen[row, flag]) / total
            parts.append(
                f'<rect x="{x:.1f}" y="{14 * row + 15}" width="{wide:.1f}" height="11" '
                f'fill="{colours[flag]}"/>'
            )
            x += wide
    caption = "<figcaption>Keypoints: seen (green), hidden (orange), outside (grey)</figcaption>"
    return _figure(caption, parts, tall)


def _figure(caption: str, parts: Sequence[str], tall: int) -> str:
    """A plot with its title."""
    svg = f'<svg width="{_WIDE}" height="{tall}" role="img">{"".join(parts)}</svg>'
    return f"<figure>{caption}{svg}</figure>\n"
