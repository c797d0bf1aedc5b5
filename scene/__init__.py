"""The only bridge between our types and Blender's data."""
