"""Keypoints of people in pictures: the files that detectors write, who is who, and which side is which."""
