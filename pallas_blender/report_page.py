"""The page about a recording's kinematics: one HTML file with its pictures inside."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from .kinematics_results import Results
from .report_plots import PICTURES

__all__ = ["report_page"]

_STYLE: Final = """
body{font:15px/1.5 system-ui,sans-serif;color:#222;background:#f4f5f6;margin:0}
main{max-width:1060px;margin:0 auto;padding:28px 24px 60px;background:#fff}
h1{font-size:25px;margin:0 0 2px}
h2{font-size:17px;margin:34px 0 8px;border-bottom:1px solid #ddd;padding-bottom:4px}
p.lead{color:#666;margin:0 0 18px}
.tiles{display:flex;flex-wrap:wrap;gap:10px;margin:14px 0}
.tiles div{background:#eef3f7;border-radius:6px;padding:8px 14px;min-width:104px}
.tiles b{display:block;font-size:21px;font-weight:600}.tiles span{color:#555;font-size:12.5px}
table{border-collapse:collapse;font-size:13.5px;margin:8px 0}
th,td{padding:3px 14px 3px 0;text-align:right;border-bottom:1px solid #eee}
th{color:#555;font-weight:600}th:first-child,td:first-child{text-align:left}
svg{display:block;margin:8px 0}
li{margin:2px 0}.warn{background:#fff6e0;border-left:4px solid #e5a800;padding:8px 14px;margin:14px 0}
footer{color:#777;font-size:12.5px;margin-top:36px}
@media print{body{background:#fff}h2{break-after:avoid}svg{break-inside:avoid}}
"""
_NONE: Final = "&ndash;"
_GAIT: Final = (
    ("stride_time_s", "stride time", "s", 2),
    ("stride_length_m", "stride length", "m", 2),
    ("stance_percent", "stance", "%", 0),
)
_RANGES: Final = (
    ("hip_flexion", "hip flexion range"),
    ("knee_angle", "knee flexion range"),
    ("ankle_angle", "ankle range"),
)


def report_page(results: Results, pictures: Mapping[str, str]) -> str:
    """The page's text.

    Args:
        results: what to tell.
        pictures: as `report_plots.pictures` drew them.
    """
    report = results.report
    span = f"{report['start']:.2f} to {report['end']:.2f} s"
    span = f"{report['frames']} frames at {report['fps']:g} Hz, {span}"
    parts = [
        "<h1>Joint kinematics</h1>",
        f'<p class="lead">{escape(span)} · model {escape(str(report["model"]))}</p>',
        _tiles(report),
        _warnings(report["warnings"]),
        "<h2>Gait</h2>",
        _gait(report),
    ]
    shown = list(pictures)
    for name in shown[:2]:
        parts += [f"<h2>{escape(PICTURES[name])}</h2>", pictures[name]]
    parts += ["<h2>Range of every angle</h2>", _angles(report["angles"])]
    for name in shown[2:]:
        parts += [f"<h2>{escape(PICTURES[name])}</h2>", pictures[name]]
    parts += ["<h2>How this was computed</h2>", _method(report)]
    body = "\n".join(part for part in parts if part)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Joint kinematics</title><style>{_STYLE}</style></head>\n<body><main>\n{body}\n"
        "<footer>Made by PALLAS. Angles are named and signed as in OpenSim's gait models.</footer>\n"
        "</main></body></html>\n"
    )


def _number(value: float | None, digits: int = 1) -> str:
    """A number, or a dash where there is none."""
    return _NONE if value is None or value != value else f"{value:.{digits}f}"  # noqa: PLR0124  NaN


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["".join(f"<th>{escape(cell)}</th>" for cell in head)]
    lines += ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
    return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def _tiles(report: Mapping[str, Any]) -> str:
    tiles = [
        (f"{report['rms_mm']:.1f} mm", "RMS distance of markers"),
        (f"{report['markers']}", "markers used"),
        (f"{report['cutoff_hz']:g} Hz", "cut-off of the smoothing"),
    ]
    gait = report["gait"]
    if gait is not None:
        tiles = [
            (f"{gait['cadence_steps_per_minute']:.0f}/min", "cadence, steps"),
            (f"{_number(gait['speed_m_per_s'], 2)} m/s", "speed"),
            (f"{_both(gait, 'knee_angle')}°", "knee range, left / right"),
            (f"{_both(gait, 'hip_flexion')}°", "hip range, left / right"),
            *tiles,
        ]
    cells = [f"<div><b>{value}</b><span>{escape(name)}</span></div>" for value, name in tiles]
    return f'<div class="tiles">{"".join(cells)}</div>'


def _both(gait: Mapping[str, Any], angle: str) -> str:
    ranges = (gait[side]["range_deg"].get(f"{angle}_{side[0]}") for side in ("left", "right"))
    return " / ".join(_number(None if value is None else value["mean"], 0) for value in ranges)


def _warnings(warnings: Sequence[str]) -> str:
    if not warnings:
        return ""
    items = "".join(f"<li>{escape(warning)}</li>" for warning in warnings)
    return f'<div class="warn"><b>To look at</b><ul>{items}</ul></div>'


def _gait(report: Mapping[str, Any]) -> str:
    gait = report["gait"]
    if gait is None:
        return f"<p>No gait cycles: {escape(report['gait_is'])}.</p>"
    rows = [["strides", *(str(gait[side]["strides"]) for side in ("left", "right"))]]
    for key, name, unit, digits in _GAIT:
        cells = [_spread(gait[side][key], digits) for side in ("left", "right")]
        rows.append([f"{name} [{unit}]", *cells])
    for angle, name in _RANGES:
        values = [gait[side]["range_deg"].get(f"{angle}_{side[0]}") for side in ("left", "right")]
        if any(values):
            rows.append([f"{name} [°]", *(_spread(value, 1) for value in values)])
    note = f"Cadence {gait['cadence_steps_per_minute']:.1f} steps/min"
    note += f", speed {gait['speed_m_per_s']:.2f} m/s"
    if gait["belt_speed_m_per_s"]:
        note += f", on a treadmill of {gait['belt_speed_m_per_s']:.2f} m/s"
    return f"<p>{escape(note)}. Mean ± standard deviation over strides.</p>" + _table(
        ["", "left", "right"], rows
    )


def _spread(value: Mapping[str, float | None] | None, digits: int) -> str:
    if value is None or value["mean"] is None:
        return _NONE
    sd = value["sd"]
    return _number(value["mean"], digits) + ("" if sd is None else f" ± {_number(sd, digits)}")


def _angles(angles: Mapping[str, Mapping[str, float]]) -> str:
    rows = [
        [
            escape(name),
            _number(row["least_deg"]),
            _number(row["greatest_deg"]),
            _number(row["greatest_deg"] - row["least_deg"]),
            _number(row["mean_deg"]),
            _number(row["fastest_deg_per_s"], 0),
        ]
        for name, row in angles.items()
    ]
    return _table(
        ["angle", "least [°]", "greatest [°]", "range [°]", "mean [°]", "fastest [°/s]"], rows
    )


def _method(report: Mapping[str, Any]) -> str:
    sizes = ", after the sizes of the body, for all frames together" if report["scales"] else ""
    steps = [
        *report["steps"],
        f"marker inverse kinematics: weighted least squares over {report['markers']} markers, frame by frame"
        f"{sizes}; up is {report['up']} ({report['up_is']})",
        f"quintic smoothing spline through every angle, cut-off {report['cutoff_hz']:g} Hz (-3 dB), "
        "differentiated exactly; angles, velocities and accelerations are of the same spline",
        "steps where the heel is furthest ahead of the pelvis and the toe furthest behind it (Zeni et al. "
        "2008); of walkers moved to where the heel stops and the toe begins to move (Ghoussayni et al. 2004)",
    ]
    return f"<ol>{''.join(f'<li>{escape(step)}</li>' for step in steps)}</ol>"
