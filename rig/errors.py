"""Every error a user can mend, in one tree.

    PallasError                 operators report it; the command line prints it in one line and exits 1
    ├── ShapeError              an array has the wrong shape
    ├── FileError               a file or folder can't be used
    │   ├── FormatError         its bytes are not what the format promises
    │   └── OutputError         it can't be written, or is there already
    ├── RecordingError          a measurement can't be used as it is: sensors, units, clock, gaps
    ├── DeviceError             a tracker, port or socket can't be used, or was unplugged
    ├── CalibrationError        no pose to calibrate on, or the performer moved during it
    ├── ModelError              a network, its weights, or the library that runs it is missing or damaged
    └── SceneError              Blender data can't be used: no armature, an unknown bone

Every message says what was found, what was expected and what to do. Bugs stay tracebacks.
"""


class PallasError(Exception):
    """Operators report it; the command line prints it in one line and exits 1."""


class ShapeError(PallasError, ValueError):
    """An array has the wrong shape."""


class FileError(PallasError):
    """A file or folder can't be used."""


class FormatError(FileError, ValueError):
    """A file's bytes are not what its format promises."""


class OutputError(FileError):
    """An output can't be written, or is there already."""


class RecordingError(PallasError, ValueError):
    """A measurement can't be used as it is: sensors, units, clock, gaps."""


class DeviceError(PallasError):
    """A tracker, port or socket can't be used, or was unplugged."""


class CalibrationError(PallasError):
    """There is no pose to calibrate on, or the performer moved during it."""


class ModelError(PallasError):
    """A network, its weights, or the library that runs it is missing or damaged."""


class SceneError(PallasError):
    """Blender data can't be used: no armature, an unknown bone."""
