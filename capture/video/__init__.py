"""Video: its frames as they are meant to be seen, and detectors that find people's keypoints in them."""
