"""Body-model files as their makers lay them out, with a small made-up body; and pickles of other programs."""

import io
import pickle  # noqa: TID251  # written here, never read
from types import MappingProxyType

import numpy as np

from pallas.capture import axes
from pallas.capture.smpl_layout import JOINTS, joint_parents, standard_body

PELVIS = np.array([0.01, -0.23, 0.03])  # y up, where the made-up bodies have it
_CORNERS = 0.03 * np.concatenate([np.eye(3), -np.eye(3)])  # of an octahedron
_SIDES = np.array(
    [[0, 1, 2], [1, 3, 2], [3, 4, 2], [4, 0, 2], [1, 0, 5], [3, 1, 5], [4, 3, 5], [0, 4, 5]]
)


def body_arrays(joints: int, shapes: int = 10, seed: int = 0) -> dict[str, np.ndarray]:
    """An octahedron around every joint, whose mean is the joint; the first beta makes the body larger."""
    random = np.random.default_rng(seed)
    places = axes.y_up_from_z_up(standard_body(joints).rest_positions)
    places = places - places[0] + PELVIS
    vertices = (places[:, None] + _CORNERS).reshape(-1, 3)
    parents = joint_parents(joints)
    weights = np.kron(np.eye(joints), np.ones((6, 1)))
    for joint, parent in enumerate(parents[1:], start=1):
        weights[6 * joint, [joint, parent]] = 0.7, 0.3
    directions = random.normal(0, 0.002, (len(vertices), 3, shapes))
    directions[:, :, 0] = 0.1 * vertices
    table = np.array([parents, range(joints)]).astype(np.uint32)  # the root's parent is 2**32 - 1
    return {
        "v_template": vertices,
        "shapedirs": directions,
        "posedirs": random.normal(0, 0.002, (len(vertices), 3, 9 * (joints - 1))),
        "J_regressor": np.kron(np.eye(joints), np.ones((1, 6)) / 6),
        "kintree_table": table,
        "weights": weights,
        "f": np.concatenate([_SIDES + 6 * joint for joint in range(joints)]).astype(np.uint32),
    }


def as_npz(arrays: dict[str, object]) -> bytes:
    """As SMPL-X is spread: among the arrays are pickled dictionaries."""
    file = io.BytesIO()
    extra = np.array({"Pelvis": 0}, dtype=object)
    np.savez(file, **arrays, joint2num=extra)  # type: ignore[arg-type]
    return file.getvalue()


class _Ch:
    """Pickled as chumpy's class."""

    def __init__(self, **state):
        self.__dict__.update(state, _dirty_vars={"x"}, _status="new", want_cached=False)


class _Csc:
    """Pickled as scipy's matrix in compressed columns."""

    def __init__(self, dense):
        rows, columns = dense.shape
        self._shape, self.maxprint = (rows, columns), 50
        across = [np.flatnonzero(dense[:, column]) for column in range(columns)]
        self.indices = np.concatenate(across).astype(np.int32)
        self.indptr = np.cumsum([0, *map(len, across)]).astype(np.int32)
        self.data = np.concatenate([dense[rows, column] for column, rows in enumerate(across)])


class _Select:
    """Pickled as what chumpy takes out of another array."""

    def __init__(self, a):
        places = np.arange(a.size)
        self.__dict__.update(a=_Ch(x=a.reshape(-1)), idxs=places, preferred_shape=a.shape)


class _JoblibArray:
    """Pickled as joblib's wrapper."""


_NAMES = {
    _Ch: ("chumpy.ch", "Ch"),
    _Select: ("chumpy.reordering", "Select"),
    _Csc: ("scipy.sparse.csc", "csc_matrix"),
    _JoblibArray: ("joblib.numpy_pickle", "NumpyArrayWrapper"),
}


class _Renaming(pickle._Pickler):
    """Writes our classes under the names of the programs they stand for."""

    def save_global(self, item, name=None):
        module, name = _NAMES.get(item, (None, name))
        if module is None:
            super().save_global(item, name)
        elif self.proto >= 4:
            self.save(module)
            self.save(name)
            self.write(pickle.STACK_GLOBAL)
        else:
            self.write(pickle.GLOBAL + f"{module}\n{name}\n".encode())

    dispatch = MappingProxyType({**pickle._Pickler.dispatch, type: save_global})


class _Joblib(_Renaming):
    """Writes arrays between the steps, as joblib does, with its padding."""

    def save(self, item, save_persistent_id=True):
        if type(item) is not np.ndarray or item.dtype.hasobject:
            super().save(item, save_persistent_id)
            return
        wrapper = _JoblibArray()
        wrapper.__dict__.update(
            subclass=np.ndarray,
            shape=item.shape,
            order="C",
            dtype=item.dtype,
            allow_mmap=True,
            numpy_array_alignment_bytes=16,
        )
        super().save(wrapper)
        self.framer.commit_frame(force=True)
        self._file_write(b"\x05" + b"\xff" * 5 + np.ascontiguousarray(item).tobytes())


def as_pkl(arrays: dict[str, np.ndarray], protocol: int = 2) -> bytes:
    """As SMPL is spread: chumpy's arrays, and the regressor as scipy's matrix."""
    held = dict(arrays)
    held["J_regressor"] = _Csc(arrays["J_regressor"])
    held["shapedirs"] = _Ch(x=arrays["shapedirs"])
    held["posedirs"] = _Select(arrays["posedirs"])
    file = io.BytesIO()
    _Renaming(file, protocol).dump({**held, "bs_type": "lrotmin", "bs_style": "lbs"})
    return file.getvalue()


def as_joblib(value: object) -> bytes:
    """As `joblib.dump` writes without compression."""
    file = io.BytesIO()
    pickler = _Joblib(file, 4)
    pickler._file_write = file.write
    pickler.dump(value)
    return file.getvalue()


def amass_arrays(joints: int = 52, frames: int = 20) -> dict[str, object]:
    """A person who stands upright, facing -Y, and walks along it; the arms swing."""
    poses = np.zeros((frames, joints, 3))
    poses[:, 0, 0] = np.pi / 2
    swing = np.sin(np.linspace(0, 4, frames))
    poses[:, JOINTS[24].index("left_shoulder"), 2] = -0.5 * swing
    trans = np.stack([np.zeros(frames), -np.linspace(0, 1, frames), np.full(frames, 0.93)], axis=-1)
    return {
        "poses": poses.reshape(frames, -1),
        "trans": trans,
        "betas": np.zeros(16),
        "gender": np.array("male"),
        "mocap_framerate": np.array(120.0),
    }


def as_plain_npz(arrays: dict[str, object]) -> bytes:
    """An npz of these arrays."""
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()
