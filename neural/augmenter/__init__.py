"""The marker augmenter: keypoints of video in, anatomical markers out."""
