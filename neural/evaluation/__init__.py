"""Evaluation: the field's metrics, the baselines, and the published tables."""
