"""Small files of keypoints, as the programs write them."""

import io
import json
import tarfile
import zipfile

import numpy as np

from pallas.capture.keypoints.layout import LAYOUTS


def pose(key, frame=0, person=0, dimensions=2):
    """(K, D) different numbers for each keypoint, frame and person."""
    layout = LAYOUTS[key]
    at = np.arange(len(layout))
    points = np.stack(
        [100.0 + 3 * at + frame + 400 * person, 200.0 + 7 * at + 2 * frame, 0.5 + 0.01 * at], -1
    )
    return points[:, :dimensions]


def flat(key, frame=0, person=0, confidence=0.9):
    """x, y, c of every keypoint in one list."""
    points = pose(key, frame, person)
    return np.column_stack([points, np.full(len(points), confidence)]).ravel().tolist()


def openpose_frame(*people):
    return json.dumps(
        {"version": 1.3, "people": [{"pose_keypoints_2d": row} for row in people]}
    ).encode()


def coco_results(key="coco_17", frames=3):
    return json.dumps(
        [
            {"image_id": 10 + f, "category_id": 1, "keypoints": flat(key, f), "score": 0.8}
            for f in range(frames)
        ]
    ).encode()


def alphapose(key="halpe_26", frames=3):
    return json.dumps(
        [
            {
                "image_id": f"{f}.jpg",
                "category_id": 1,
                "keypoints": flat(key, f),
                "score": 2.5,
                "idx": 1,
            }
            for f in range(frames)
        ]
    ).encode()


def mmpose(key="coco_133", frames=3, dimensions=2):
    return json.dumps(
        {
            "meta_info": {"dataset_name": key},
            "instance_info": [
                {
                    "frame_id": f + 1,
                    "instances": [
                        {
                            "keypoints": pose(key, f, 0, dimensions).tolist(),
                            "keypoint_scores": [0.7] * len(LAYOUTS[key]),
                            "bbox": [[0, 0, 1, 1]],
                        }
                    ],
                }
                for f in range(frames)
            ],
        }
    ).encode()


def landmarks(world=False, frame=0):
    """(33, 4) of MediaPipe: fractions of the picture, or metres about the hips with y down."""
    at = np.arange(33)
    x = np.where(at % 2, 0.1, -0.1) + 0.001 * frame
    y = (at - 23.5) * 0.03
    if world:
        x, y = np.where(at % 2, 0.1, -0.1), np.where((at == 23) | (at == 24), 0.0, y)
        return np.stack([x, y, 0.02 * (at - 23.5) * (at != 23) * (at != 24), np.full(33, 0.9)], -1)
    return np.stack([0.5 + x, 0.6 + 0.5 * y, 0 * x, np.full(33, 0.9)], -1)


def mediapipe_json(world=False, frames=3):
    def rows(table):
        return [
            dict(zip(("x", "y", "z", "visibility"), row, strict=True)) for row in table.tolist()
        ]

    key = "pose_world_landmarks" if world else "pose_landmarks"
    return json.dumps(
        {"fps": 25, "frames": [{"frame": f, key: rows(landmarks(world, f))} for f in range(frames)]}
    ).encode()


def mediapipe_wide(world=False, frames=3, spelling="{name}_{axis}"):
    names = ("NOSE", "left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye",
             "right_eye_outer", "left_ear", "right_ear", "mouth_left", "mouth_right", "left_shoulder",
             "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_pinky",
             "right_pinky",
             "left_index", "right_index", "left_thumb", "right_thumb", "left_hip", "right_hip", "left_knee",
             "right_knee", "left_ankle", "right_ankle", "left_heel", "right_heel", "left_foot_index",
             "right_foot_index")  # fmt: skip
    axes = ("x", "y", "z", "visibility")
    header = [
        spelling.format(name=name, axis=axis, number=k, short=axis[0])
        for k, name in enumerate(names)
        for axis in axes
    ]
    rows = [
        ",".join(map(repr, [float(v) for v in landmarks(world, f).ravel()])) for f in range(frames)
    ]
    return "\n".join(
        [",".join(["frame", *header]), *(f"{k},{row}" for k, row in enumerate(rows))]
    ).encode()


def mediapipe_long(frames=3):
    lines = ["frame,landmark_id,x,y,z,visibility"]
    for f in range(frames):
        for k, (x, y, z, v) in enumerate(landmarks(frame=f).tolist()):
            lines.append(f"{f},{k},{x!r},{y!r},{z!r},{v!r}")
    return "\n".join(lines).encode()


def deeplabcut(people=("one",), frames=3):
    parts = ["nose", "left_knee", "RightKnee", "tail"]
    columns = [
        (who, part, axis) for who in people for part in parts for axis in ("x", "y", "likelihood")
    ]
    lines = ["scorer," + ",".join(["DLC"] * len(columns))]
    if len(people) > 1:
        lines.append("individuals," + ",".join(column[0] for column in columns))
    lines.append("bodyparts," + ",".join(column[1] for column in columns))
    lines.append("coords," + ",".join(column[2] for column in columns))
    for f in range(frames):
        values = [
            str((10 * k + f) if axis != "likelihood" else 0.75)
            for k, (_, _, axis) in enumerate(columns)
        ]
        lines.append(",".join([str(f), *values]))
    return "\n".join(lines).encode()


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def freemocap(frames=3, cameras=None):
    array = np.random.default_rng(0).normal(0, 500.0, (frames, 543, 3))
    array[:, :33] = 1000 * np.arange(33)[:, None] * 0.05
    return npy(array if cameras is None else np.repeat(array[None, ..., :2], cameras, axis=0))


def yolo_label(frame=0, size=(1000, 2000), track=False):
    points = pose("coco_17", frame) / np.array(size)
    values = np.column_stack([points, np.full(17, 0.9)]).ravel()
    return (
        "0 0.5 0.5 0.2 0.9 " + " ".join(f"{v:.6f}" for v in values) + (" 0.88 3" if track else "")
    ).encode()


def yolo_json(frame=0):
    points = pose("coco_17", frame)
    keypoints = {"x": points[:, 0].tolist(), "y": points[:, 1].tolist(), "visible": [0.9] * 17}
    return json.dumps(
        [{"name": "person", "class": 0, "confidence": 0.8, "box": {}, "keypoints": keypoints}]
    ).encode()


def zipped(files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def tarred(files, mode="w:xz"):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()
