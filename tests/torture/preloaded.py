"""All that a command imports, imported once in a process that forks one child for each trial: see `forked.py`."""

import importlib

from flows import engine

# Before a flow is imported, as the command line does.
engine.choose_way()
for name in ("flows.approval", "flows.commands.telling", "flows.daily", "flows.intake", "flows.release"):
    importlib.import_module(name)
