"""Datasets of annotated people, described by a spec: the same bytes whoever renders them."""
