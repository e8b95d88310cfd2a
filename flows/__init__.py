"""WHEN: one file per deployment; each reads like a table of contents. `python -m flows` is the command line."""
