import json
import os
import socket

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

bpy = pytest.importorskip("bpy")

from pallas.render.dataset.exr import exr_bytes, read_exr  # noqa: E402
from pallas.render.dataset.finish import verify  # noqa: E402
from pallas.render.dataset.pictures import developed, png_bytes  # noqa: E402
from pallas.render.dataset.store import Store, digest_of, json_bytes  # noqa: E402
from pallas.rig import FileError, FormatError, OutputError  # noqa: E402

IDENTITY = {"version": 1, "blender": "5.0", "motions": ["demo"], "spec": {"image": {"width": 64}}}


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.uint32])
@pytest.mark.parametrize("size", [(1, 1), (16, 3), (37, 21)])
def test_a_picture_comes_back_from_exr(tmp_path, kind, size):
    values = np.random.default_rng(0).normal(size=(2, *size)).astype(kind)
    (tmp_path / "a.exr").write_bytes(exr_bytes({"Z": values[0], "R": values[1]}))
    found = read_exr(tmp_path / "a.exr")
    assert (found["Z"] == values[0]).all() and (found["R"] == values[1]).all()


def test_blender_reads_our_exr(tmp_path):
    light = np.linspace(0.0, 2.0, 12, dtype=np.float32).reshape(3, 4)
    (tmp_path / "a.exr").write_bytes(exr_bytes(dict.fromkeys("RGB", light)))
    image = bpy.data.images.load(str(tmp_path / "a.exr"))
    found = np.array(image.pixels[:]).reshape(3, 4, 4)[::-1, :, 0]
    bpy.data.images.remove(image)
    np.testing.assert_allclose(found, light, atol=1e-6)


@given(st.binary(max_size=120), st.integers(0, 400))
@settings(max_examples=60)
def test_damaged_exr_is_a_users_error(tmp_path_factory, noise, place):
    path = tmp_path_factory.getbasetemp() / "damaged.exr"
    whole = bytearray(exr_bytes({"Z": np.ones((5, 6), dtype=np.float32)}))
    whole[place : place + len(noise)] = noise
    path.write_bytes(bytes(whole[: max(place, 4)] if place % 3 == 0 else whole))
    try:
        read_exr(path)
    except FileError:
        return


def test_a_png_has_the_pixels_it_was_given(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    (tmp_path / "a.png").write_bytes(png_bytes(pixels))
    image = bpy.data.images.load(str(tmp_path / "a.png"))
    found = np.array(image.pixels[:]).reshape(5, 7, 4)[::-1, :, :3]
    bpy.data.images.remove(image)
    assert (np.round(255 * found) == pixels).all()


def test_light_is_developed_as_srgb_and_bright_parts_are_kept_apart():
    light = np.array([[[0.0] * 3, [0.2158605] * 3, [1.0] * 3, [4.0] * 3]])
    picture = developed(light, 0.0, np.random.default_rng(0))
    assert picture[0, 0, 0] == 0 and picture[0, 1, 0] == 128
    assert picture[0, 1, 0] < picture[0, 2, 0] < picture[0, 3, 0] <= 255


def test_noise_has_the_asked_size():
    light = np.full((100, 100, 3), 0.7)
    clean = developed(light, 0.0, np.random.default_rng(0)).astype(float)
    noisy = developed(light, 0.03, np.random.default_rng(0)).astype(float)
    slope = 1.055 / 2.4 * 0.7 ** (1 / 2.4 - 1) * 255
    assert abs((noisy - clean).std() / (0.03 * np.sqrt(0.7) * slope) - 1) < 0.1


def test_a_folder_of_another_spec_is_refused_with_what_differs(tmp_path):
    Store(tmp_path / "d", IDENTITY).close()
    Store(tmp_path / "d", IDENTITY).close()
    other = {**IDENTITY, "spec": {"image": {"width": 32}}}
    with pytest.raises(OutputError, match=r"another spec \(width in \[image\] differs\)"):
        Store(tmp_path / "d", other)
    with pytest.raises(OutputError, match="rendered with Blender 5.0, not 4.5"):
        Store(tmp_path / "d", {**IDENTITY, "blender": "4.5"})
    with pytest.raises(OutputError, match="other motions"):
        Store(tmp_path / "d", {**IDENTITY, "motions": []})


def test_a_folder_with_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(OutputError, match="holds thesis.tex and no dataset"):
        Store(tmp_path, IDENTITY)
    with pytest.raises(OutputError, match="is a file"):
        Store(tmp_path / "thesis.tex", IDENTITY)


def test_what_a_dead_process_left_is_swept_away_and_what_lives_is_kept(tmp_path):
    Store(tmp_path, IDENTITY).close()
    dead = tmp_path / ".work" / f"{socket.gethostname()}-999999999"
    alive = tmp_path / ".work" / f"{socket.gethostname()}-{os.getppid()}"
    for folder in (dead, alive):
        folder.mkdir(parents=True)
    Store(tmp_path, IDENTITY).close()
    assert not dead.exists() and alive.exists()


def test_a_full_disk_is_told_and_leaves_no_half_file(tmp_path, monkeypatch):
    store = Store(tmp_path, IDENTITY)

    def full(path, content):
        with path.open("wb") as file:
            file.write(content[:1])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(OutputError, match="No space left on device; what is done is kept"):
        store.write("images/a.jpg", b"abc")
    assert not (tmp_path / "images" / "a.jpg").exists()


def test_verification_names_what_is_missing_changed_or_strange(tmp_path):
    with pytest.raises(OutputError, match="no manifest.json"):
        verify(tmp_path)
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"1")
    told = {"bytes": 1, "sha256": digest_of(b"1")}
    (tmp_path / "manifest.json").write_bytes(json_bytes({"files": {"a": told, "b": told}}))
    assert verify(tmp_path) == 2
    (tmp_path / "a").write_bytes(b"2")
    (tmp_path / "b").rename(tmp_path / "c")
    with pytest.raises(FormatError, match="b is missing; c is not of the dataset; a was changed"):
        verify(tmp_path)


def test_equal_values_give_equal_bytes():
    assert json_bytes({"b": 1, "a": [1.5]}) == json_bytes(json.loads('{"a":[1.5],"b":1}'))
