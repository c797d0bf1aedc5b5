"""The pose network: pictures in, confidence maps and part affinity fields of people's keypoints out."""
