"""The shell: registration, properties, panels, preferences, command line."""
