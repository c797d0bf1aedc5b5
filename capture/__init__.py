"""What was measured: IMU recordings, keypoints, markers, cameras, devices, file formats."""
