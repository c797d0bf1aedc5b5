"""What was measured: IMU recordings, keypoints, markers, cameras, devices, file formats."""

from .asf_amc import read_amc, read_asf
from .bvh import read_all_bvh, read_bvh, write_bvh
from .calibration import Calibration, calibrate
from .formats import read_motion, read_recording, write_motion, write_recording
from .imu import PLACEMENTS, Gap, ImuRecording
from .mvnx import MvnxFile, read_mvnx
from .output import new_file
from .placements import map_sensors
from .plausibility import check_units
from .recording import RecordingWriter
from .regular import Regular, regular_samples
from .textfile import FormatWarning
from .virtual_imu import STANDARD_SENSORS, ImuErrors, VirtualSensor, virtual_recording

__all__ = [
    "PLACEMENTS",
    "STANDARD_SENSORS",
    "Calibration",
    "FormatWarning",
    "Gap",
    "ImuErrors",
    "ImuRecording",
    "MvnxFile",
    "RecordingWriter",
    "Regular",
    "VirtualSensor",
    "calibrate",
    "check_units",
    "map_sensors",
    "new_file",
    "read_all_bvh",
    "read_amc",
    "read_asf",
    "read_bvh",
    "read_motion",
    "read_mvnx",
    "read_recording",
    "regular_samples",
    "virtual_recording",
    "write_bvh",
    "write_motion",
    "write_recording",
]
