"""Give setuptools the version that blender_manifest.toml states."""

import tomllib
from pathlib import Path

from setuptools import setup

manifest = tomllib.loads(Path(__file__).with_name("blender_manifest.toml").read_text())
setup(version=manifest["version"])
