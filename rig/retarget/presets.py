"""Bone maps of well-known rigs, kept as data, and which of them a rig's names are."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

from ..errors import SceneError
from .bone_map import ROLES, SIDES, BoneMap

__all__ = [
    "PRESETS",
    "fit_preset",
    "preset",
    "preset_controls",
    "preset_decides",
    "preset_names",
    "preset_title",
    "recognised",
]

PRESETS: Final = (
    "mixamo",
    "unreal_4",
    "unreal_5",
    "vroid",
    "vrm_0",
    "vrm_1",
    "mpfb_default",
    "mpfb_game_engine",
    "mpfb_cmu_mb",
    "mpfb_mixamo",
    "rigify_metarig",
    "rigify_def",
    "rigify_fk",
    "rigify_ik",
    "auto_rig_pro",
    "smpl",
    "smpl_h",
    "smpl_x",
    "smpl_fbx",
    "pallas",
    "daz_genesis_8",
    "daz_genesis_9",
    "cmu_bvh",
    "cmu_daz",
    "cmu_asf",
    "kaykit",
    "xsens",
    "xsens_bvh",
    "rokoko",
    "mocopi",
    "slimevr",
    "character_creator",
    "biped",
)
_LEAST_COVER: Final = (
    0.8  # of a preset's bones without fingers and twists, for a rig to be its kind
)
_MISSING: Final = 0.5  # what a missing bone costs beside one that is there
_DETAILS: Final = ("twist", "thumb", "index", "middle", "ring", "pinky", "toe", "root")
_ROLES: Final = frozenset(ROLES)
_CORE: Final = frozenset(role for role in ROLES if not any(word in role for word in _DETAILS))
_FOLDER: Final = Path(__file__).parent / "presets"
_CERTAIN: Final = 0.99  # a person's own choice has 1


@dataclass(frozen=True)
class _Preset:
    """One file: per role a line for each of its bones, with alternatives, without the rig's prefix.

    In the file, `{side}` stands for the side's word and `{short}` for its first letter; `a|b` is a or else b;
    `extra` are bones without a role that tell the rig from another, and `decides` roles of misleading names.
    """

    title: str
    prefixes: tuple[str, ...]
    lines: Mapping[str, str]
    extra: tuple[str, ...]
    controls: Mapping[str, str]
    decides: frozenset[str]

    @cached_property
    def bones(self) -> Mapping[str, tuple[tuple[str, ...], ...]]:
        """By role, in the order of ROLES, the alternatives of each of its bones."""
        known = [role for role in ROLES if role in self.lines]
        return {role: _alternatives(self.lines[role].split("\n")) for role in known}

    @cached_property
    def others(self) -> tuple[tuple[str, ...], ...]:
        """The alternatives of each bone without a role."""
        return _alternatives(self.extra)

    @cached_property
    def written(self) -> Mapping[str, frozenset[str]]:
        """By prefix, every name a rig of this kind can have."""
        plain = "\n".join([*self.lines.values(), *self.extra]).replace("|", "\n").split("\n")
        return {prefix: frozenset(prefix + name for name in plain) for prefix in self.prefixes}

    @cached_property
    def core(self) -> tuple[str, ...]:
        """Roles without which a rig is of another kind."""
        return tuple(role for role in self.lines if role in _CORE)

    def found(self, names: Collection[str], prefix: str) -> dict[str, tuple[str, ...]]:
        """The bones of each role that are among the names, as they are written there."""
        there = {
            role: tuple(
                prefix + next(name for name in either if prefix + name in names)
                for either in bones
                if any(prefix + name in names for name in either)
            )
            for role, bones in self.bones.items()
        }
        return {role: own for role, own in there.items() if own}

    def best_prefix(self, names: frozenset[str]) -> str:
        """The prefix under which most bones are there."""
        return max(self.prefixes, key=lambda prefix: len(self.written[prefix] & names))

    def worth(self, names: frozenset[str]) -> float:
        """How many of its names are there, less what is missing; -1 if too few."""
        prefix = self.best_prefix(names)
        least = _LEAST_COVER * len(self.core)
        if len(self.written[prefix] & names) < least:
            return -1.0
        found = self.found(names, prefix)
        if sum(role in found for role in self.core) < least:
            return -1.0
        there = sum(len(own) for own in found.values())
        there += sum(any(prefix + name in names for name in either) for either in self.others)
        every = sum(len(own) for own in self.bones.values()) + len(self.others)
        return there - _MISSING * (every - there)


def preset(name: str) -> BoneMap:
    """The bone map of a well-known rig, with all bones that such a rig can have.

    Raises:
        SceneError: there is no preset of that name; the message lists those there are.
    """
    known = _read(name)
    prefix = known.prefixes[0]
    bones = {role: tuple(prefix + either[0] for either in own) for role, own in known.bones.items()}
    certain = {bone: _CERTAIN for own in bones.values() for bone in own}
    return BoneMap(bones, certain, (), name)


def fit_preset(name: str, names: Collection[str]) -> BoneMap:
    """A preset's map for a rig with these bone names: its roles that the rig has bones for.

    Raises:
        SceneError: there is no such preset, or the rig has none of its bones.
    """
    known = _read(name)
    there = frozenset(names)
    bones = known.found(there, known.best_prefix(there))
    if not bones:
        raise SceneError(
            f"none of the rig's {len(names)} bones is named as in {known.title}; "
            "choose another preset, or match automatically"
        )
    used = {bone for own in bones.values() for bone in own}
    unmapped = tuple(bone for bone in names if bone not in used)
    return BoneMap(bones, dict.fromkeys(used, _CERTAIN), unmapped, name)


def preset_title(name: str) -> str:
    """What a preset is called in menus.

    Raises:
        SceneError: there is no such preset.
    """
    return _read(name).title


def preset_controls(name: str) -> Mapping[str, str]:
    """Bones of a control rig beside those with a role: poles, switches; by left_knee_pole and the like.

    A generated Rigify rig has three presets. `rigify_def` is what it does: a source is read from it, and
    matching finds it. `rigify_fk` and `rigify_ik` are what to key on it as a target: the trunk by `torso`
    and the upper spine controls (the lower ones turn about the pivot in the middle and stay at rest), limbs
    by FK controls, or feet, toes and hands by IK controls with the poles and switches given here.

    Raises:
        SceneError: there is no such preset.
    """
    return _read(name).controls


def preset_decides(name: str) -> frozenset[str]:
    """Roles whose bones a preset knows better than names and structure tell.

    Raises:
        SceneError: there is no such preset.
    """
    return _read(name).decides


def preset_names(name: str) -> Mapping[str, frozenset[str]]:
    """By role, every name that its bones can have in a preset, without a prefix.

    Raises:
        SceneError: there is no such preset.
    """
    bones = _read(name).bones
    return {role: frozenset(n for either in own for n in either) for role, own in bones.items()}


def recognised(names: Collection[str]) -> str | None:
    """The preset that covers a rig's bone names best, None if none covers its limbs and trunk."""
    there = frozenset(names)
    worth = {name: _read(name).worth(there) for name in PRESETS}
    best = max(PRESETS, key=lambda name: worth[name])
    return best if worth[best] > 0 else None


@cache
def _read(name: str) -> _Preset:
    if name not in PRESETS:
        raise SceneError(f"there is no preset {name!r}; the presets are: {', '.join(PRESETS)}")
    table: dict[str, Any] = json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return _Preset(
        table["title"],
        tuple(table["prefixes"]),
        dict(_sided(table["bones"], table["sides"])),
        tuple(table.get("others", ())),
        dict(_sided(table.get("controls", {}), table["sides"])),
        frozenset(table.get("decides", ())),
    )


def _sided(table: Mapping[str, str | list[str]], sides: list[str]) -> Iterator[tuple[str, str]]:
    """Each role with the lines of its bones, written out for both sides."""
    for role, written in table.items():
        lines = written if isinstance(written, str) else "\n".join(written)
        if "{s" not in lines and role in _ROLES:
            yield role, lines
            continue
        for side, word in zip(SIDES, sides, strict=True):
            yield f"{side}_{role}", lines.replace("{side}", word).replace("{short}", word[0])


def _alternatives(lines: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Of each bone: `a|b` is a or else b."""
    return tuple(tuple(bone.split("|")) for bone in lines)
