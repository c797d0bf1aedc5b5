"""Datasets of annotated people: described by a spec, rendered clip by clip, the same bytes whoever renders."""
