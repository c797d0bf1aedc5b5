"""What spans a dataset: COCO's files, tars, statistics, the manifest with checksums."""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from ...rig.errors import FormatError, OutputError
from .coco import write_coco
from .frames import record_name
from .plan import tasks_of
from .spec import Spec
from .statistics_page import statistics_page
from .store import Store

__all__ = ["MANIFEST", "finish", "missing_frames", "records", "verify"]

MANIFEST: Final = "manifest.json"
_READ: Final = 1 << 20  # bytes at once


def missing_frames(spec: Spec, store: Store) -> int:
    """How many frames have no record."""
    return sum(
        not store.has(record_name(task.clip, frame))
        for task in tasks_of(spec)
        for frame in range(task.start, task.stop)
    )


def finish(spec: Spec, store: Store) -> None:
    """Write what spans the dataset from the records that are there; the same records give the same bytes.

    Raises:
        OutputError: something can't be written.
    """
    write_coco(spec, store)
    store.write("statistics.html", statistics_page(spec, records(spec, store)).encode())
    if spec.output.shard_images:
        _write_tars(spec, store)
    _write_manifest(store)


def records(spec: Spec, store: Store) -> Iterator[dict[str, Any]]:
    """Every frame's record that is there, in order."""
    for task in tasks_of(spec):
        for frame in range(task.start, task.stop):
            name = record_name(task.clip, frame)
            if store.has(name):
                yield store.read_json(name)


def _write_tars(spec: Spec, store: Store) -> None:
    """Shards as WebDataset reads them: files of one key side by side, no times, no owners."""
    samples: list[tuple[str, list[str], bytes]] = []
    number = 0
    for record in records(spec, store):
        for view in record["views"]:
            key = f"{record['clip']:06d}_{record['frame']:06d}_{view['camera']['view']}"
            own = f"/{record['frame']:06d}_{view['camera']['view']}."
            names = [name for name in record["files"] if own in name]
            told = json.dumps({"world": record["world"], **view}, sort_keys=True).encode()
            samples.append((key, names, told))
        if len(samples) >= spec.output.shard_images:
            number = _write_tar(store, number, samples[: spec.output.shard_images])
            samples = samples[spec.output.shard_images :]
    while samples:
        number = _write_tar(store, number, samples[: spec.output.shard_images])
        samples = samples[spec.output.shard_images :]


def _write_tar(store: Store, number: int, samples: list[tuple[str, list[str], bytes]]) -> int:
    with (
        store.writing(f"shards/{number:06d}.tar") as temporary,
        tarfile.open(temporary, "w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for key, names, told in samples:
            parts = [(".json", told)]
            for name in names:
                path = Path(name)
                kind = "" if name.startswith("images/") else f".{path.parts[0]}"
                parts.append((f"{kind}{path.suffix}", (store.folder / name).read_bytes()))
            for suffix, content in sorted(parts):
                entry = tarfile.TarInfo(f"{key}{suffix}")
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
    return number + 1


def _write_manifest(store: Store) -> None:
    """Every file but the manifest and a sheet, with its size and SHA-256."""
    with store.writing(MANIFEST) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write('{"files":{\n')
        first = True
        for name in _names(store.folder):
            path = store.folder / name
            told = json.dumps({"bytes": path.stat().st_size, "sha256": _digest(path)})
            file.write(f"{'' if first else ',' + chr(10)}{json.dumps(name)}:{told}")
            first = False
        file.write("\n}}\n")


def _names(folder: Path) -> list[str]:
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(
        name for name in names if not name.startswith((".work/", "sheet.")) and name != MANIFEST
    )


def _digest(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_READ):
            found.update(block)
    return found.hexdigest()


def verify(folder: Path) -> int:
    """Compare a finished dataset with its manifest; returns how many files are as they should be.

    Raises:
        OutputError: the folder has no manifest: it is no dataset, or not finished.
        FormatError: files are missing, changed, or not of the dataset; the message names the first ones.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise OutputError(
            f"{folder} has no {MANIFEST}; expected a finished dataset; run pallas render to its end first"
        )
    try:
        wanted = json.loads(path.read_bytes())["files"]
        sums = {str(name): str(told["sha256"]) for name, told in wanted.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FormatError(
            f"{path} is damaged: {error}; delete it and run pallas render again"
        ) from error
    there = set(_names(folder))
    wrong = [f"{name} is missing" for name in sorted(set(sums) - there)]
    wrong += [f"{name} is not of the dataset" for name in sorted(there - set(sums))]
    wrong += [
        f"{name} was changed"
        for name in sorted(there & set(sums))
        if _digest(folder / name) != sums[name]
    ]
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise FormatError(
            f"{folder}: {'; '.join(wrong[:3])}{more}; delete what was changed, with its frame's record in "
            "frames/, and run pallas render again"
        )
    return len(sums)
