"""What was measured: IMU recordings, keypoints, markers, cameras, devices, file formats."""

from .asf_amc import read_amc, read_asf
from .bvh import read_all_bvh, read_bvh, write_bvh
from .formats import read_motion, read_recording, write_motion, write_recording
from .imu import PLACEMENTS, Gap, ImuRecording
from .mvnx import MvnxFile, read_mvnx
from .output import new_file
from .recording import RecordingWriter
from .textfile import FormatWarning
from .virtual_imu import STANDARD_SENSORS, ImuErrors, VirtualSensor, virtual_recording

__all__ = [
    "PLACEMENTS",
    "STANDARD_SENSORS",
    "FormatWarning",
    "Gap",
    "ImuErrors",
    "ImuRecording",
    "MvnxFile",
    "RecordingWriter",
    "VirtualSensor",
    "new_file",
    "read_all_bvh",
    "read_amc",
    "read_asf",
    "read_bvh",
    "read_motion",
    "read_mvnx",
    "read_recording",
    "virtual_recording",
    "write_bvh",
    "write_motion",
    "write_recording",
]
