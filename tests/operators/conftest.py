"""The add-on, switched on."""

import pytest

import pallas


@pytest.fixture(scope="module", autouse=True)
def add_on():
    pytest.importorskip("bpy")
    pallas.register()
    yield
    pallas.unregister()


@pytest.fixture
def settings(scene):
    return scene.pallas.markers
