"""Devices that send while they measure: each behind one small interface, none knows of Blender."""

from .device import Device, TrackerState
from .samples import PoseSample, Sample, TrackerSample

__all__ = ["Device", "PoseSample", "Sample", "TrackerSample", "TrackerState"]
