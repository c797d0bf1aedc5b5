"""From what many trackers say to one recording: one clock, even frames, calibration, the raw log."""
