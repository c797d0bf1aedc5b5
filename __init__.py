"""PALLAS: full-body animation from four IMUs, a video's keypoints or optical markers.

The repository root is the Blender extension and the Python package `pallas` alike. Importing it
does nothing; Blender calls `register`.
"""


def register() -> None:
    """Add the operators, panels and properties to Blender."""
    from .pallas_blender import registration

    registration.register()


def unregister() -> None:
    """Take everything out of Blender again."""
    from .pallas_blender import registration

    registration.unregister()
