import numpy as np
import pytest

pytestmark = pytest.mark.blender
bpy = pytest.importorskip("bpy")

from pallas.render import scene_parts  # noqa: E402
from pallas.render.cameras import CameraPath, Choices, clear, draw_path  # noqa: E402
from pallas.render.dataset.exr import exr_bytes  # noqa: E402
from pallas.render.dataset.spec import parse_spec  # noqa: E402
from pallas.render.people import draw_look, make_person  # noqa: E402
from pallas.render.people.chart import Chart  # noqa: E402
from pallas.render.people.cloth import Cut, cut_garment  # noqa: E402
from pallas.render.people.hands import palm  # noqa: E402
from pallas.render.people.hats import HATS, SWIM_CAP, hat_shape  # noqa: E402
from pallas.render.people.props import prop_shape  # noqa: E402
from pallas.render.people.shoes import shoe  # noqa: E402
from pallas.render.people.skirt import skirt  # noqa: E402
from pallas.rig import FileError, Motion, body_skeleton, quaternion  # noqa: E402
from pallas.rig.bodies import landmark_places, load_body, pose_body  # noqa: E402
from pallas.scene.apply import apply_motion  # noqa: E402


@pytest.fixture
def scene():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return bpy.context.scene


def vertices(item):
    posed = item.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return np.array([posed.matrix_world @ v.co for v in posed.data.vertices])


def person(scene, name, seed=0, **choices):
    random, body = np.random.default_rng(seed), load_body(name)
    return make_person(scene.collection, body, random, draw_look(random, body, **choices))


def test_the_skin_in_blender_is_that_of_the_engine(scene):
    body = load_body("boy_8")
    skeleton = body_skeleton()
    turns = np.tile(quaternion.IDENTITY, (1, 24, 1)).astype(float)
    turns[0, skeleton.index("left_elbow")] = quaternion.from_axis_angle(
        np.array([0.0, 0.0, 1.0]), -1.0
    )
    turns[0, skeleton.index("right_hip")] = quaternion.from_axis_angle(
        np.array([1.0, 0.0, 0.0]), -0.8
    )
    motion = Motion(skeleton, np.array([[0.2, 0.1, 0.918]]), turns, 25.0)
    figure = person(scene, "boy_8", hands="open")
    apply_motion(figure.armature, motion)
    scene.frame_set(scene.frame_start)
    # Fingers are posed in Blender alone.
    still = (np.char.find(np.array(body.bone_names), "Hand") < 0)[body.weight_bones].all(axis=1)
    ours = pose_body(body, motion).skin()[0]
    np.testing.assert_allclose(vertices(figure.meshes[0])[still], ours[still], atol=2e-4)


def test_clothes_lie_over_the_skin_and_hide_what_is_under_them(scene):
    body = load_body("woman_46")
    chart = Chart(body)
    for cut in (Cut(True, sleeves=1.9, thickness=0.009), Cut(False, waist=0.2, legs=1.9)):
        garment, hidden = cut_garment(chart, cut)
        over = np.einsum(
            "ij,ij->i", garment.places - body.vertices[garment.rows], chart.normals[garment.rows]
        )
        inside = np.isin(garment.rows, body.faces[hidden])
        assert inside.sum() > 500
        assert over[inside].min() > 0.6 * cut.thickness
        assert np.linalg.norm(garment.places - body.vertices[garment.rows], axis=1).max() < 0.09


def test_clothes_for_sports_are_few_and_leave_the_others_as_they_were():
    man, boy = load_body("man_31"), load_body("boy_11")

    def looks(body, clothes):
        return [draw_look(np.random.default_rng(seed), body, clothes=clothes) for seed in range(40)]

    sports = looks(man, "sports")
    assert 10 < sum(look.top is None for look in sports) < 35
    assert any(look.hat == SWIM_CAP for look in sports)
    assert all(look.skirt == 0.0 and look.hat in ("", SWIM_CAP) for look in sports)
    assert all(look.top is not None for look in looks(boy, "sports"))
    assert looks(man, "street") == [
        draw_look(np.random.default_rng(seed), man) for seed in range(40)
    ]
    assert 0 < sum(look.top is None for look in looks(man, "any")) < 20


def test_a_bare_chest_shows_the_skin(scene):
    seed = next(
        s
        for s in range(20)
        if draw_look(np.random.default_rng(s), load_body("man_31"), clothes="sports").top is None
    )
    bare = person(scene, "man_31", seed, clothes="sports")
    assert not any(mesh.name.endswith(" top") for mesh in bare.meshes)
    assert any(mesh.name.endswith(" bottom") for mesh in bare.meshes)
    chest = load_body("man_31").faces_of("chest").sum()
    shown = np.zeros(len(bare.meshes[0].data.polygons), dtype=np.int32)
    bare.meshes[0].data.attributes["region"].data.foreach_get("value", shown)
    wanted = np.unique(load_body("man_31").regions[load_body("man_31").faces_of("chest")])
    assert np.isin(shown, wanted).sum() == chest


def test_a_sleeve_ends_where_it_was_cut():
    chart = Chart(load_body("man_36"))
    garment, _ = cut_garment(chart, Cut(True, sleeves=1.0, loose=0.0))
    elbow, wrist = chart.head("LeftForeArm"), chart.head("LeftHand")
    beyond = (garment.places - elbow) @ (wrist - elbow) / np.linalg.norm(wrist - elbow)
    own = chart.body.vertices[garment.rows, 0] > elbow[0] - 0.05
    assert beyond[own].max() < 0.02


def test_shoes_stand_on_the_floor_and_hold_the_foot():
    chart = Chart(load_body("man_19"))
    made = shoe(chart, "left", 0.09)
    foot = chart.body.vertices[chart.inside("left_foot")]
    assert made.places[:, 2].min() == pytest.approx(0.0, abs=1e-6)
    assert made.places[:, 1].min() < foot[:, 1].min()
    assert made.places[:, 1].max() > foot[:, 1].max()


def test_a_skirt_goes_around_both_legs_down_to_its_hem():
    chart = Chart(load_body("woman_33"))
    made = skirt(chart, waist=0.2, length=1.0, flare=0.2, thickness=0.012)
    knee = chart.head("LeftLeg")[2]
    assert made.places[:, 2].min() == pytest.approx(knee, abs=1e-9)
    # Between hips and knees every point of the legs is inside of a ring's box.
    legs = chart.body.vertices[chart.inside("thigh")]
    legs = legs[(legs[:, 2] > knee + 0.05) & (legs[:, 2] < chart.head("LeftUpLeg")[2])]
    low, high = made.places[-48:, :2].min(axis=0), made.places[-48:, :2].max(axis=0)
    assert (legs[:, :2] > low).all() and (legs[:, :2] < high).all()


@pytest.mark.parametrize("kind", (*HATS, SWIM_CAP))
def test_a_hat_holds_the_top_of_the_head_and_leaves_the_eyes_free(kind):
    chart = Chart(load_body("girl_10"))
    made = hat_shape(chart, kind, 0.02)
    eyes = landmark_places(chart.body, ["left_eye", "right_eye"])
    assert made.places[:, 2].min() > eyes[:, 2].max() + 0.01
    assert made.places[:, 2].max() > chart.body.height
    assert set(chart.body.weight_bones[made.rows, 0]) == {chart.body.bone("Head")}


@pytest.mark.parametrize("side", ["Left", "Right"])
def test_what_a_hand_holds_lies_in_front_of_the_palm_and_moves_with_the_hand(side):
    chart = Chart(load_body("man_31"))
    made = prop_shape(chart, side, "ball", 1.0)
    middle = (made.places.min(axis=0) + made.places.max(axis=0)) / 2.0
    wrist, knuckle = chart.head(f"{side}Hand"), chart.head(f"{side}HandMiddle1")
    assert 0.02 < (middle - knuckle) @ palm(chart.body, side) < 0.09
    assert np.linalg.norm(middle - wrist) < 0.16
    bone = chart.body.bone_names[int(chart.body.weight_bones[made.rows[0], 0])]
    assert f"{side}Hand" in bone


def test_the_same_generator_makes_the_same_person(scene):
    one, other = (person(scene, "woman_64", seed=5) for _ in range(2))
    assert one.look == other.look
    for first, second in zip(one.meshes, other.meshes, strict=True):
        np.testing.assert_array_equal(vertices(first), vertices(second))
    assert one.look != person(scene, "woman_64", seed=6).look


def test_a_closed_hand_is_shorter_than_an_open_one(scene):
    reach = {}
    for hands in ("open", "closed"):
        figure = person(scene, "man_27", hands=hands)
        bpy.context.view_layer.update()
        bones = figure.armature.pose.bones
        wrist = bones["mixamorig:RightHand"].head
        reach[hands] = (bones["mixamorig:RightHandMiddle3"].tail - wrist).length
    assert reach["closed"] < 0.6 * reach["open"]


def test_every_kind_of_surroundings_is_drawn_again_alike(scene):
    walked, cameras = np.array([[0.0, 0.0], [1.0, 0.5]]), np.array([[3.0, -2.0]])
    for kind in ("room", "sky", "studio"):
        spec = parse_spec(f'[scene]\nsurroundings = ["{kind}"]'.encode())
        told, built = [], []
        for _ in range(2):
            before = set(scene.objects)
            random = np.random.default_rng(3)
            told.append(scene_parts.add_surroundings(random, spec, scene, walked, cameras))
            own = sorted(set(scene.objects) - before, key=lambda item: item.name)
            built.append([tuple(item.location) for item in own])
        assert told[0] == told[1]
        assert sorted(built[0]) == sorted(built[1])
        assert told[0]["kind"] == kind


def test_rooms_hold_people_and_cameras_and_furniture_keeps_off_them(scene):
    spec = parse_spec(b'[scene]\nsurroundings = ["room"]')
    random = np.random.default_rng(0)
    for _ in range(6):
        walked, cameras = random.uniform(-1.0, 1.0, (6, 2)), random.uniform(-5.0, 5.0, (3, 2))
        about = scene_parts.add_surroundings(random, spec, scene, walked, cameras)
        width, depth, _ = about["size"]
        used = np.concatenate([walked, cameras])
        assert (np.ptp(used, axis=0) < (width, depth)).all()
        for x, y, half_x, half_y, _ in about["solids"]:
            assert (np.abs(used - (x, y)) > (half_x, half_y)).any(axis=1).all()


def test_a_folder_without_pictures_is_refused(scene, tmp_path):
    spec = parse_spec(f'[scene]\nsurroundings = ["images"]\nimages = ["{tmp_path}"]'.encode())
    with pytest.raises(FileError, match="holds no pictures"):
        scene_parts.add_surroundings(np.random.default_rng(0), spec, scene)
    spec = parse_spec(b'[scene]\nsurroundings = ["hdri"]\nhdri = ["nowhere"]')
    with pytest.raises(FileError, match="no folder"):
        scene_parts.add_surroundings(np.random.default_rng(0), spec, scene)


def test_pictures_and_panoramas_of_a_folder_surround_people(scene, tmp_path):
    pixels = np.full((4, 8, 3), 0.5, dtype=np.float32)
    channels = {name: pixels[..., k] for k, name in enumerate("RGB")}
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "sky.exr").write_bytes(exr_bytes(channels))
    for kind, key in (("hdri", "hdri"), ("images", "images")):
        text = f'[scene]\nsurroundings = ["{kind}"]\n{key} = ["{tmp_path}"]'
        about = scene_parts.add_surroundings(
            np.random.default_rng(0), parse_spec(text.encode()), scene
        )
        assert (about["kind"], about["file"]) == (kind, "sky.exr")
        nodes = scene.world.node_tree.nodes
        assert [
            tuple(n.image.size) for n in nodes if n.type in ("TEX_ENVIRONMENT", "TEX_IMAGE")
        ] == [(8, 4)]


def test_a_fixed_camera_stays_and_an_orbit_goes_around_at_its_distance():
    centres = np.tile([1.0, 2.0, 0.9], (50, 1))
    still = draw_path(np.random.default_rng(1), Choices("fixed"), centres, 25.0)
    assert np.ptp(still.places, axis=0).max() == 0.0
    orbit = draw_path(np.random.default_rng(1), Choices("orbit"), centres, 25.0)
    far = np.linalg.norm(orbit.places[:, :2] - (1.0, 2.0), axis=1)
    assert np.ptp(far) < 1e-9
    assert 2.5 <= far[0] <= 5.0
    assert np.ptp(orbit.places[:, 0]) > 0.0


def test_a_hand_shakes_by_centimetres_and_not_at_all_if_asked():
    centres = np.tile([0.0, 0.0, 0.9], (100, 1))
    held = draw_path(np.random.default_rng(1), Choices("handheld"), centres, 25.0)
    assert 0.005 < np.ptp(held.places, axis=0).max() < 0.1
    calm = draw_path(np.random.default_rng(1), Choices("handheld", shake=0.0), centres, 25.0)
    assert np.ptp(calm.places, axis=0).max() < 1e-12


def test_cameras_of_a_rig_stand_all_around():
    centres, choices = np.tile([0.0, 0.0, 0.9], (3, 1)), Choices("rig", views=4)
    turns = []
    for view in range(4):
        path = draw_path(np.random.default_rng(view), choices, centres, 25.0, view)
        turns.append(np.degrees(np.arctan2(path.places[0, 1], path.places[0, 0])) % 360.0)
    gaps = np.diff([*sorted(turns), sorted(turns)[0] + 360.0])
    assert gaps.min() > 50.0


def test_a_camera_inside_a_body_or_a_table_is_not_clear():
    path = CameraPath(np.tile([2.0, 0.0, 1.0], (5, 1)), np.zeros((5, 3)), 35.0)
    near, far = np.full((5, 24, 3), (2.1, 0.0, 1.0)), np.zeros((5, 24, 3))
    assert clear(path, [far])
    assert not clear(path, [far, near])
    assert not clear(path, [far], [(2.0, 0.1, 0.5, 0.5, 1.2)])
    assert clear(path, [far], [(2.0, 0.1, 0.5, 0.5, 0.7)])
