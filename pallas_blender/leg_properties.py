"""What the panel of legs shows: `scene.pallas.legs`, and the takes that a solve gave."""

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, StringProperty

from .frame_range import FrameRange

__all__ = ["PALLAS_PG_legs", "PALLAS_PG_take"]


class PALLAS_PG_take(bpy.types.PropertyGroup):
    # `name` is every property group's own: what tells this take from the others.
    motion: StringProperty(name="Motion", subtype="FILE_PATH")


class PALLAS_PG_legs(FrameRange, bpy.types.PropertyGroup):
    mode: EnumProperty(
        name="Legs",
        description="Where the legs come from, which no sensor measures",
        items=(
            ("deterministic", "Predicted", "The likeliest legs, one answer"),
            ("generated", "Generated", "Drawn by the generator; another seed, other legs"),
            (
                "seated",
                "Seated",
                "Feet on the floor in front of a seat, for who sits in a wheelchair",
            ),
        ),
    )
    seed: IntProperty(
        name="Seed", description="The same seed draws the same legs", default=0, min=0
    )
    takes: IntProperty(
        name="Takes", description="How many variants of generated legs", default=1, min=1, max=16
    )
    temperature: FloatProperty(
        name="Temperature",
        description="Above 1 more varied legs, below 1 likelier ones",
        default=1.0,
        min=0.0,
        soft_max=2.0,
    )
    output: EnumProperty(
        name="Further Takes",
        description="What Apply to Character makes of all takes but the first, which becomes the Action",
        items=(
            ("NLA", "NLA Tracks", "A muted track for each"),
            ("ACTIONS", "Actions", "An Action for each, kept in the file"),
        ),
    )
    use_seat_height: BoolProperty(
        name="Seat Height",
        description="Say how high the pelvis sits instead of by level thighs and upright shanks",
    )
    seat_height: FloatProperty(
        name="Height",
        description="Of the hip joints' centre above the floor, about 9 cm above the seat",
        default=0.5,
        min=0.05,
        max=1.2,
        unit="LENGTH",
    )
    clean_feet: BoolProperty(
        name="Clean Feet", description="Let feet that stand, stand", default=True
    )
    use_range: BoolProperty(
        name="Range",
        description="Say the frames instead of by the preview range or, without one, the selected leg keys",
    )
