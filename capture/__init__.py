"""What was measured: IMU recordings, keypoints, markers, cameras, devices, file formats."""

from .asf_amc import read_amc, read_asf
from .bvh import read_all_bvh, read_bvh, write_bvh
from .calibration import Calibration, calibrate
from .coordinates import pose_from_table, table_from_pose, write_coordinates
from .formats import read_motion, read_recording, write_motion, write_recording
from .imu import PLACEMENTS, Gap, ImuRecording
from .marker_file import MarkerFile
from .markers import read_marker_file, read_markers, write_markers
from .mvnx import MvnxFile, read_mvnx
from .orientation_table import OrientationTable, read_quaternions
from .osim import read_osim
from .osim_imu import read_imu_ik_setup, read_imu_placer, read_sensor_map
from .osim_markers import read_marker_set
from .osim_setup import read_scale_set, read_scale_setup
from .osim_tasks import read_ik_setup, read_ik_tasks
from .osim_writer import write_osim
from .output import new_file
from .placements import map_sensors
from .plausibility import check_units
from .recording import RecordingWriter
from .regular import Regular, regular_samples
from .smpl_model import SmplModel, read_smpl_model
from .sources import people_in, read_source
from .storage import CoordinateTable, read_storage, write_storage
from .textfile import FormatWarning
from .up_axis import detect_up
from .virtual_imu import STANDARD_SENSORS, ImuErrors, VirtualSensor, virtual_recording

__all__ = [
    "PLACEMENTS",
    "STANDARD_SENSORS",
    "Calibration",
    "CoordinateTable",
    "FormatWarning",
    "Gap",
    "ImuErrors",
    "ImuRecording",
    "MarkerFile",
    "MvnxFile",
    "OrientationTable",
    "RecordingWriter",
    "Regular",
    "SmplModel",
    "VirtualSensor",
    "calibrate",
    "check_units",
    "detect_up",
    "map_sensors",
    "new_file",
    "people_in",
    "pose_from_table",
    "read_all_bvh",
    "read_amc",
    "read_asf",
    "read_bvh",
    "read_ik_setup",
    "read_ik_tasks",
    "read_imu_ik_setup",
    "read_imu_placer",
    "read_marker_file",
    "read_marker_set",
    "read_markers",
    "read_motion",
    "read_mvnx",
    "read_osim",
    "read_quaternions",
    "read_recording",
    "read_scale_set",
    "read_scale_setup",
    "read_sensor_map",
    "read_smpl_model",
    "read_source",
    "read_storage",
    "regular_samples",
    "table_from_pose",
    "virtual_recording",
    "write_bvh",
    "write_coordinates",
    "write_markers",
    "write_motion",
    "write_osim",
    "write_recording",
    "write_storage",
]
