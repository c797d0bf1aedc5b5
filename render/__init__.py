"""Synthetic datasets and pictures, rendered headless."""
