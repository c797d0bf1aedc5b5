"""Calibrated cameras: their files and lenses, when each started, and points in space from what they saw."""
