"""One person: armature, skin, hair, clothes, shoes and what it holds, as drawn."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import bpy
import numpy as np

from ...rig.arrays import Mask
from ...rig.bodies import Body
from ..shading import new_material
from .chart import Chart
from .cloth import cut_garment
from .fabrics import cloth, draw_colour, eye, hair, skin
from .hands import close_hands
from .hats import SWIM_CAP, hat_shape
from .head import face_masks, hair_shape, iris_faces
from .look import Look
from .props import prop_shape
from .shoes import shoe
from .skinned import Shape, add_rig, add_skinned
from .skirt import skirt

__all__ = ["Person", "make_person"]

_EYE_WHITE = (0.75, 0.73, 0.70)
_CAP_LIFT = 0.005  # metres that a swimming cap lies off the scalp
_LIGHT_SKIN, _DARK_HAIR = 4, 4  # tones up to this have hair of any colour, others of the first ones


@dataclass(frozen=True)
class Person:
    """One figure at rest, at the origin, facing -Y.

    Attributes:
        armature: with its bones.
        meshes: what is skinned to it, the body first; that one has the body's vertices, in order, and lacks
            the faces that clothes hide.
        props: what it holds, which is nobody's skin or clothes.
        body: name of the body.
        parameters: numbers that made the body.
        look: what was drawn, as plain values.
    """

    armature: bpy.types.Object
    meshes: tuple[bpy.types.Object, ...]
    body: str
    parameters: Mapping[str, float] = field(default_factory=dict)
    look: Mapping[str, Any] = field(default_factory=dict)
    props: tuple[bpy.types.Object, ...] = ()


def make_person(
    collection: bpy.types.Collection, body: Body, random: np.random.Generator, look: Look
) -> Person:
    """Build a person.

    Args:
        collection: where its objects go.
        body: of the package.
        random: what colours and patterns are drawn from.
        look: hair, clothes and hands, of `draw_look`.

    Returns:
        The person; the mesh of its skin keeps every face's part in the attribute "region".
    """
    name, chart = body.name, Chart(body)
    armature = add_rig(name, body, collection)
    close_hands(armature, body, look.hands)
    dark = _DARK_HAIR if look.tone > _LIGHT_SKIN else None
    brow = draw_colour(random, "grey_hair") if look.grey else draw_colour(random, "hair", dark)
    cuts = {"bottom": look.bottom} | ({"top": look.top} if look.top is not None else {})
    worn = {label: cut_garment(chart, cut) for label, cut in cuts.items()}
    hidden = np.any([under for _, under in worn.values()], axis=0)
    if look.collar > 0.0:
        low = body.vertices[:, 2] < (look.collar - 0.02) * chart.size
        hidden |= low[body.faces].all(axis=1) & body.faces_of(
            *(f"{side}_{part}" for side in ("left", "right") for part in ("foot", "shin"))
        )
    meshes = [_skin(armature, body, random, look, brow, hidden)]
    told: dict[str, Any] = look.plain
    for label, (shape, _) in worn.items():
        palette, pattern = ("cloth", None) if label == "top" else ("trousers", _leg_pattern(random))
        material, drawn = cloth(random, label, palette, pattern)
        meshes.append(add_skinned(f"{name} {label}", armature, body, shape, [material]))
        told[label] = {**told[label], **drawn}
    if look.collar > 0.0:
        meshes.append(_shoes(armature, chart, random, look.collar))
    if look.skirt > 0.0:
        shape = skirt(chart, look.bottom.waist, look.skirt, look.flare, 0.012)
        meshes.append(_dressed(armature, chart, random, "skirt", shape, told))
    if look.hat:
        lift = 0.012 + 0.012 * (look.hair not in ("bald", "cropped"))
        shape = hat_shape(chart, look.hat, _CAP_LIFT if look.hat == SWIM_CAP else lift)
        meshes.append(_dressed(armature, chart, random, "hat", shape, told))
    grown = hair_shape(chart, look.hair, look.fullness)
    if grown is not None:
        meshes.append(add_skinned(f"{name} hair", armature, body, grown, [hair(brow)]))
    props = [_held(armature, chart, random, look)] if look.held else []
    numbers = {key: value for key, value in body.phenotype.items() if key != "sex"}
    female = float(body.phenotype["sex"] == "female")
    parameters = {**numbers, "female": female, "height_m": body.height, "mass_kg": body.mass}
    return Person(armature, tuple(meshes), body.name, parameters, told, tuple(props))


def _dressed(
    armature: bpy.types.Object,
    chart: Chart,
    random: np.random.Generator,
    label: str,
    shape: Shape,
    told: dict[str, Any],
) -> bpy.types.Object:
    """Something of cloth, told under its name."""
    material, drawn = cloth(random, label.title(), "cloth", None)
    told[f"{label}_cloth"] = drawn
    return add_skinned(f"{chart.body.name} {label}", armature, chart.body, shape, [material])


def _held(
    armature: bpy.types.Object, chart: Chart, random: np.random.Generator, look: Look
) -> bpy.types.Object:
    shape = prop_shape(chart, look.holds, look.held, float(random.uniform(0.8, 1.2)))
    colour = draw_colour(random, "cloth")
    material = new_material(look.held.title(), colour, float(random.uniform(0.2, 0.8)))[0]
    item = add_skinned(f"{chart.body.name} {look.held}", armature, chart.body, shape, [material])
    item.data.polygons.foreach_set("use_smooth", np.zeros(len(item.data.polygons), dtype=bool))
    return item


def _leg_pattern(random: np.random.Generator) -> str:
    return str(
        random.choice(["plain", "plain", "plain", "heather", "heather", "blotches", "checks"])
    )


def _skin(
    armature: bpy.types.Object,
    body: Body,
    random: np.random.Generator,
    look: Look,
    brow: tuple[float, float, float],
    hidden: Mask,
) -> bpy.types.Object:
    """The body's mesh without the hidden faces."""
    kept = np.flatnonzero(~hidden)
    eyes = body.faces_of("left_eye", "right_eye")
    slots = np.where(eyes, np.where(iris_faces(), 2, 1), 0)
    if look.hair == "cropped" or (look.hair == "bald" and look.stubble > 0.5):
        slots = np.where(body.faces_of("scalp") & (look.hair == "cropped"), 3, slots)
    materials = [
        skin(random, look.tone, brow, look.stubble),
        new_material("Eye", _EYE_WHITE, 0.25)[0],
        eye(draw_colour(random, "eyes")),
        hair(brow),
    ]
    rows = np.arange(len(body.vertices))
    shape = Shape(body.vertices, rows, body.faces[kept], slots[kept], {"face": face_masks()})
    item = add_skinned(f"{body.name} body", armature, body, shape, materials)
    region = item.data.attributes.new("region", "INT", "FACE")
    region.data.foreach_set("value", body.regions[kept].astype(np.int32))
    return item


def _shoes(
    armature: bpy.types.Object, chart: Chart, random: np.random.Generator, collar: float
) -> bpy.types.Object:
    """Both shoes as one mesh, with soles of another colour on some."""
    left, right = (shoe(chart, side, collar) for side in ("left", "right"))
    shape = Shape(
        np.concatenate([left.places, right.places]),
        np.concatenate([left.rows, right.rows]),
        np.concatenate([left.faces, right.faces + len(left.places)]),
        np.concatenate([left.slots, right.slots]),
    )
    upper, _ = cloth(random, "Shoe", "shoes", "plain")
    sole, _ = cloth(random, "Sole", "shoes", "plain")
    return add_skinned(f"{chart.body.name} shoes", armature, chart.body, shape, [upper, sole])
