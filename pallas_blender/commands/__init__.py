"""One module per command: what it is for, its arguments, and the one call behind it.

Each has HELP (a line), EXAMPLE (a command that works as it stands), `add_arguments(parser)` and
`run(arguments, console) -> dict`, the JSON object. None loads torch or Blender when imported.
"""
