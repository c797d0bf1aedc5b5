"""Buttons: gather, call one function, report."""
