"""What the panel of live capture shows: sources, trackers and who wears them, performers, the next take."""

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

__all__ = [
    "LIVE_PROPERTY_GROUPS",
    "POSES",
    "PALLAS_PG_live",
    "PALLAS_PG_live_performer",
    "PALLAS_PG_live_source",
    "PALLAS_PG_live_tracker",
]


POSES = (
    ("npose", "N-Pose", "Upright, arms hanging, palms in"),
    ("tpose", "T-Pose", "Upright, arms out to the sides, palms down"),
)


class PALLAS_PG_live_source(bpy.types.PropertyGroup):
    # `name` is every property group's own: the source as `pallas record` takes it.
    pass


class PALLAS_PG_live_tracker(bpy.types.PropertyGroup):
    # `name` is the tracker's own, the same each time it is switched on.
    placement: EnumProperty(
        name="Worn",
        description="Where the performer wears this tracker",
        items=(
            ("none", "Nowhere", "Recorded, but not solved from"),
            ("waist", "Waist", "At the back of the belt"),
            ("left_wrist", "Left Wrist", "On the forearm, or the back of the hand"),
            ("right_wrist", "Right Wrist", "On the forearm, or the back of the hand"),
            ("neck", "Neck", "Below the neck, on the upper back, or on the head"),
        ),
    )
    performer: IntProperty(
        name="Performer", description="Who wears it", default=1, min=1, soft_max=2, max=8
    )
    paired: BoolProperty(
        name="Paired",
        description="Take what this tracker sends although it comes over the network",
    )


class PALLAS_PG_live_performer(bpy.types.PropertyGroup):
    target: PointerProperty(
        name="Character",
        description="The armature that follows this performer; it gets its own pose back in the end",
        type=bpy.types.Object,
        poll=lambda self, item: item.type == "ARMATURE",
    )
    height: FloatProperty(
        name="Height", description="Of the performer", default=1.7, min=0.5, max=2.5, unit="LENGTH"
    )


class PALLAS_PG_live(bpy.types.PropertyGroup):
    source: StringProperty(
        name="Source",
        description="What to listen to: slimevr, vmc, xsens, mocopi, rokoko, phone, "
        "serial:PORT?columns=…, udp:PORT?columns=…, ximu3:PORT, replay:FILE",
        default="slimevr",
    )
    sources: CollectionProperty(type=PALLAS_PG_live_source)
    active_source: IntProperty()
    trackers: CollectionProperty(type=PALLAS_PG_live_tracker)
    active_tracker: IntProperty()
    performers: CollectionProperty(type=PALLAS_PG_live_performer)
    active_performer: IntProperty()
    pose: EnumProperty(
        name="Pose",
        description="The pose in which the performer stands still to calibrate",
        items=POSES,
    )
    move: BoolProperty(
        name="Bows",
        description="After the N pose, find each tracker's own heading by bows with swinging arms; without "
        "them all trackers must share one heading, and the performer must face -Y",
        default=True,
    )
    remove_drift: BoolProperty(
        name="Remove Drift",
        description="Take out how fast the trackers' headings drift against the waist's, once it is known",
    )
    folder: StringProperty(
        name="Folder",
        description="Where takes are written",
        default="//takes",
        subtype="DIR_PATH",
        options={"PATH_SUPPORTS_BLEND_RELATIVE"},
    )
    take: StringProperty(name="Take", description="Name of the next take", default="take")
    notes: StringProperty(name="Notes", description="Written into the take")
    vmc: StringProperty(
        name="Send VMC To",
        description="HOST:PORT of a program that shows avatars, such as 127.0.0.1:39539; empty for none",
    )


LIVE_PROPERTY_GROUPS = (
    PALLAS_PG_live_source,
    PALLAS_PG_live_tracker,
    PALLAS_PG_live_performer,
    PALLAS_PG_live,
)
