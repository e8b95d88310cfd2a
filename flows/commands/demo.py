"""`relance demo`: the sample company, ten weeks of working days, end to end."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def demo(
    *,
    directory: Annotated[
        Path, Parameter(help="Where the demo's workspace is made; an earlier one is replaced.")
    ] = Path("demo"),
) -> None:
    """Play ten weeks of an invented company: exports, decisions, approvals, letters, and the log."""
    from flows.demo import play

    play(directory)
