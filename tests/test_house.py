"""The house keeps its rules: who imports whom, what is packaged, what the zip holds."""

import ast
import importlib
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from pallas.pallas_blender.cli import version

ROOT = Path(__file__).resolve().parent.parent
ROOMS = {  # room: what it may import of ours
    "rig": set(),
    "capture": {"rig"},
    "neural": {"rig", "capture"},
    "scene": {"rig", "capture"},
    "render": {"rig", "capture", "scene"},
    "operators": {"rig", "capture", "neural", "scene", "render"},
    "pallas_blender": {"rig", "capture", "neural", "scene", "render", "operators"},
}
# "anywhere", "functions" (not when the module is imported) or "never".
TORCH = {
    "rig": "anywhere",
    "capture": "never",
    "neural": "anywhere",
    "scene": "never",
    "render": "never",
    "operators": "functions",
    "pallas_blender": "functions",
}
BPY = {
    "rig": "never",
    "capture": "never",
    "neural": "never",
    "scene": "anywhere",
    "render": "anywhere",
    "operators": "anywhere",
    "pallas_blender": "anywhere",
}
BLENDER = {"bpy", "mathutils", "bmesh", "bpy_extras", "gpu", "blf", "bl_ext"}
MOST_LINES = 400
# Files at the root that are for developers, as blender_manifest.toml excludes them from the zip.
NOT_SHIPPED = {"CONTRIBUTING.md", "Makefile", "pyproject.toml", "setup.py"}
FOLDERS_NOT_SHIPPED = {"benchmarks", "dev", "docs", "requirements", "tests"}
FOR_BLENDER_ONLY = {"wheels"}  # a pip install gets these libraries from an index


def modules(room):
    return sorted(p for p in (ROOT / room).rglob("*.py") if "__pycache__" not in p.parts)


ALL_MODULES = [ROOT / "__init__.py", *(path for room in ROOMS for path in modules(room))]


def name_of(path):
    """The dotted name of a module, its package for an `__init__`: pallas.rig.motion."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(("pallas", *(part for part in parts if part != "__init__")))


def imports(path):
    """(the full name imported, whether it is inside a function) for every import of a module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    lazy = {
        id(inner)
        for outer in ast.walk(tree)
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(outer)
    } | {
        id(inner)
        for outer in ast.walk(tree)
        if isinstance(outer, ast.If) and "TYPE_CHECKING" in ast.unparse(outer.test)
        for inner in ast.walk(outer)
    }
    package = name_of(path).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) in lazy
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            start = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                yield f"{start}.{alias.name}", id(node) in lazy


def room_of(name):
    parts = name.split(".")
    return parts[1] if parts[0] == "pallas" and len(parts) > 1 and parts[1] in ROOMS else None


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_the_rooms_below_it(room):
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(room)
        for name, _ in imports(path)
        if room_of(name) not in {None, room} | ROOMS[room]
    ]
    assert wrong == []


@pytest.mark.parametrize(("library", "rule"), [({"torch"}, TORCH), (BLENDER, BPY)])
@pytest.mark.parametrize("room", ROOMS)
def test_torch_and_blender_stay_in_their_rooms(room, library, rule):
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(room)
        for name, lazy in imports(path)
        if name.split(".")[0] in library
        if rule[room] == "never" or (rule[room] == "functions" and not lazy)
    ]
    assert wrong == []


@pytest.mark.parametrize("path", ALL_MODULES, ids=name_of)
def test_rooms_import_each_other_relatively(path):
    """`import rig` or `import pallas.rig` would make a second copy of every class in Blender."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    absolute = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom) and not node.level
            else []
        )
    }
    assert not absolute & {*ROOMS, "pallas"}


@pytest.mark.parametrize("path", ALL_MODULES, ids=name_of)
def test_a_file_is_short_and_says_what_it_is(path):
    text = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text)), f"{path} has no docstring"
    assert text.count("\n") <= MOST_LINES


@pytest.mark.parametrize("path", ALL_MODULES, ids=name_of)
def test_all_lists_names_that_exist(path):
    if any(name.split(".")[0] in BLENDER for name, lazy in imports(path) if not lazy):
        pytest.importorskip("bpy")
    module = importlib.import_module(name_of(path))
    for name in getattr(module, "__all__", []):
        assert getattr(module, name) is not None, f"{name_of(path)}.__all__ lists {name}"


@pytest.mark.parametrize("path", ALL_MODULES, ids=name_of)
def test_all_lists_every_public_name_a_module_defines(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    listed = next(
        (
            ast.literal_eval(node.value)
            for node in tree.body
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
        ),
        None,
    )
    if listed is None:
        return
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    public = {node.name for node in tree.body if isinstance(node, kinds) and node.name[0] != "_"}
    assert public - set(listed) == set()


def test_every_package_is_listed_for_setuptools():
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = listed["tool"]["setuptools"]["packages"]
    on_disk = {name_of(path) for path in ALL_MODULES if path.name == "__init__.py"}
    assert set(packages) == on_disk


def test_every_data_file_is_packaged():
    """Weights and tables reach a pip install only through package-data's patterns."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = settings["tool"]["setuptools"]["package-data"]["*"]
    left_out = []
    for name in expected_files():
        path = ROOT / name
        if path.parent == ROOT or path.suffix == ".py" or name.split("/")[0] in FOR_BLENDER_ONLY:
            continue
        package = next(p for p in path.parents if (p / "__init__.py").exists())
        inside = path.relative_to(package)
        if not any(len(inside.parts) == p.count("/") + 1 and inside.match(p) for p in patterns):
            left_out.append(name)
    assert left_out == []


def test_every_folder_with_modules_is_a_package():
    bare = {p.parent for p in ALL_MODULES if not (p.parent / "__init__.py").exists()}
    assert bare == set()


def test_tests_are_not_packages():
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_importing_pallas_loads_no_room():
    code = (
        "import sys, pallas; print([m for m in sys.modules if m.startswith(('pallas.', 'torch'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_command_line_loads_no_torch_and_no_blender():
    code = (
        "import sys, pallas.pallas_blender.cli as cli; cli.main(['--help']);"
        "print([m for m in ('torch', 'bpy') if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


@pytest.mark.blender
def test_registering_the_extension_loads_no_torch():
    pytest.importorskip("bpy")
    code = (
        "import bpy, sys, pallas; pallas.register(); print('torch' in sys.modules);"
        "pallas.unregister(); pallas.register(); pallas.unregister()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().splitlines()[-1] == "False"


@pytest.fixture(scope="session")
def extension_zip(tmp_path_factory):
    pytest.importorskip("bpy")
    folder = tmp_path_factory.mktemp("zip")
    command = [sys.executable, str(ROOT / "dev" / "zip"), "--output-dir", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(folder.glob("*.zip"))


def expected_files():
    """What git tracks, less what is for developers only."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]  # whoever owns the checkout
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        complain = pytest.fail if os.environ.get("PALLAS_CI") == "1" else pytest.skip
        complain("not a git checkout: nothing to compare the zip with")
    tracked = [name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]
    return {
        name
        for name in tracked
        if name.split("/")[0] not in FOLDERS_NOT_SHIPPED | NOT_SHIPPED
        if not any(part.startswith(".") for part in name.split("/"))
    }


@pytest.mark.blender
def test_the_zip_holds_what_git_tracks_and_nothing_else(extension_zip):
    names = set(zipfile.ZipFile(extension_zip).namelist())
    assert sorted(names - expected_files()) == [], "in the zip, not in git"
    assert sorted(expected_files() - names) == [], "in git, not in the zip"


@pytest.mark.blender
def test_the_zip_is_named_after_the_one_version(extension_zip):
    assert extension_zip.name == f"pallas-{version()}.zip"
