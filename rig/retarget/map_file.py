"""Bone maps as JSON files that people share: no code in them, and checked against the rig they are for."""

import json
import os
import reprlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from ..errors import FormatError, OutputError, SceneError
from .bone_map import ROLES, BoneMap
from .bones import Bones
from .rigify_terms import is_generated, of_generated_rig

__all__ = ["bone_map_from_text", "load_map", "save_map", "text_of_bone_map"]

_FORMAT: Final = "pallas bone map"
_VERSION: Final = 1
_LARGEST: Final = 4_000_000  # bytes; a map of ten thousand bones is a tenth of it
_SHOWN: Final = 5  # names of missing bones that a message lists


def save_map(path: Path, bone_map: BoneMap, *, force: bool = False) -> None:
    """Write a bone map, under a temporary name first.

    Raises:
        OutputError: the file is there already and `force` is not set, or it can't be written.
    """
    if path.exists() and not force:
        raise OutputError(f"{path} is there already; choose another name, or overwrite it")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(text_of_bone_map(bone_map), encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise OutputError(f"{path} can't be written: {error.strerror}") from error


def load_map(path: Path, bones: Bones) -> BoneMap:
    """Read a bone map for a rig.

    Args:
        path: a file that `save_map` wrote, or one edited by hand.
        bones: the rig.

    Returns:
        The map; the rig's bones that it does not name are unmapped.

    Raises:
        FormatError: the file is missing, damaged, too new, or no bone map.
        SceneError: it names bones that the rig lacks: it is another rig's.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise FormatError(
                f"{path.name} has {path.stat().st_size} bytes: no bone map is that large"
            )
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise FormatError(f"{path} can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise FormatError(f"{path.name} is no text: byte {error.start} is not UTF-8") from error
    return bone_map_from_text(text, bones, path.name)


def text_of_bone_map(bone_map: BoneMap) -> str:
    """A bone map as JSON, the same bytes for the same map.

    An object with "format" ("pallas bone map"), "version" (1), "rig" (the preset it was recognised as),
    "bones" (by role, a list of names) and "confidence" (by name, 0 to 1; a name without one counts as 1).
    """
    table = {
        "format": _FORMAT,
        "version": _VERSION,
        "rig": bone_map.rig,
        "bones": {role: list(bone_map.bones[role]) for role in ROLES if bone_map.bones.get(role)},
        "confidence": {
            name: round(float(bone_map.confidence[name]), 3)
            for role in ROLES
            for name in bone_map.bones.get(role, ())
            if name in bone_map.confidence
        },
    }
    return json.dumps(table, indent=1, ensure_ascii=False) + "\n"


def bone_map_from_text(text: str, bones: Bones, name: str = "the map") -> BoneMap:
    """Read a bone map from JSON text for a rig; `name` is the file's, for messages.

    One for a generated Rigify rig may name its controls, FK or IK, or its bones for the skin.

    Raises:
        FormatError, SceneError: as `load_map`.
    """
    try:
        table = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{name} is damaged: {error}; save the map again") from error
    roles = _checked_roles(_checked_head(table, name), name)
    sure = _confidence(table, [bone for own in roles.values() for bone in own], name)
    if is_generated(bones):
        translated = of_generated_rig(roles, bones)
        roles = {role: translated[role][1] for role in ROLES if role in translated}
        _check_once(roles, name)
        for names, own in translated.values():
            least = min(sure[bone] for bone in names)
            sure |= {bone: sure.get(bone, least) for bone in own}
    named = [bone for own in roles.values() for bone in own]
    there = set(bones.names)
    missing = [bone for bone in named if bone not in there]
    if missing:
        shown = ", ".join(" ".join(bone.split()) for bone in missing[:_SHOWN]) + (
            ", …" if len(missing) > _SHOWN else ""
        )
        raise SceneError(
            f"{name} is for another rig: {len(missing)} of its {len(named)} bones are not in this one "
            f"({shown}); choose this rig's map, or match automatically"
        )
    used = set(named)
    unmapped = tuple(bone for bone in bones.names if bone not in used)
    return BoneMap(roles, {bone: sure[bone] for bone in sorted(used)}, unmapped, _rig(table))


def _checked_head(table: object, name: str) -> Mapping[str, Any]:
    if not isinstance(table, dict) or table.get("format") != _FORMAT:
        raise FormatError(f'{name} is no bone map: expected "format": "{_FORMAT}"')
    version = table.get("version")
    if type(version) is not int or version < 1:
        raise FormatError(
            f"{name} is damaged: its version is {reprlib.repr(version)}; expected {_VERSION}"
        )
    if version > _VERSION:
        raise FormatError(
            f"{name} has version {reprlib.repr(version)}, this program reads up to {_VERSION}: update it"
        )
    return table


def _checked_roles(table: Mapping[str, Any], name: str) -> dict[str, tuple[str, ...]]:
    written = table.get("bones")
    if not isinstance(written, dict) or not written:
        raise FormatError(f'{name} is damaged: expected roles and their bones under "bones"')
    for role, own in written.items():
        if role not in ROLES:
            raise FormatError(
                f"{name} has the unknown role {reprlib.repr(role)}; expected one as left_forearm"
            )
        if not isinstance(own, list) or not all(isinstance(bone, str) and bone for bone in own):
            raise FormatError(
                f"{name} is damaged: {role} is {reprlib.repr(own)}; expected a list of bone names"
            )
    roles = {role: tuple(written[role]) for role in ROLES if written.get(role)}
    _check_once(roles, name)
    return roles


def _check_once(roles: Mapping[str, tuple[str, ...]], name: str) -> None:
    seen: dict[str, str] = {}
    for role, own in roles.items():
        for bone in own:
            if bone in seen:
                raise FormatError(
                    f"{name} gives the bone {reprlib.repr(bone)} to {seen[bone]} and {role}; keep one"
                )
            seen[bone] = role


def _rig(table: Mapping[str, Any]) -> str:
    rig = table.get("rig")
    return rig if isinstance(rig, str) else ""


def _confidence(table: Mapping[str, Any], used: Iterable[str], name: str) -> dict[str, float]:
    """Confidence of the named bones; one that the file doesn't tell was a person's choice."""
    told = table.get("confidence", {})
    if not isinstance(told, dict):
        raise FormatError(
            f'{name} is damaged: "confidence" is {reprlib.repr(told)}; expected numbers by bone name'
        )
    for bone, value in told.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not 0.0 <= value <= 1.0:
            raise FormatError(
                f"{name} is damaged: confidence of {reprlib.repr(bone)} is {reprlib.repr(value)}; "
                "expected 0 to 1"
            )
    return {bone: float(told.get(bone, 1.0)) for bone in used}
