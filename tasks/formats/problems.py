"""What is wrong in a file, gathered as rows that an accountant can act on.

A check is an expression that is true where a row is wrong; all checks of a file are judged in one pass.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from policies.explanations import counted
from policies.sources import PROBLEMS

LINE = "line_number"
"""The column of every frame here that holds the line of the file."""

MAXIMUM_ROWS = 1_000
LONGEST_VALUE = 80


@dataclass(frozen=True)
class Check:
    """`is_wrong` is true where `value` of `column` breaks `rule`; `fix` says what to do."""

    is_wrong: pl.Expr
    column: str
    value: pl.Expr
    rule: str
    fix: str


class Problems:
    """The problems of one file, at most 1,000 of them, and a last line that counts the rest."""

    def __init__(self) -> None:
        self._frames: list[pl.DataFrame] = []
        self._count = 0

    def __bool__(self) -> bool:
        return self._count > 0

    def add(self, rule: str, fix: str, *, line: int | None = None, column: str = "", value: str = "") -> None:
        """Add one problem; without `line` it concerns the file as a whole."""
        row = {"line": line, "column": column, "value": _shortened(value), "rule": rule, "fix": fix}
        self._frames.append(pl.DataFrame([row], schema=PROBLEMS))
        self._count += 1

    def check(self, frame: pl.DataFrame, checks: Sequence[Check]) -> None:
        """Add a problem for every row and check where the row is wrong."""
        if not checks or frame.is_empty():
            return
        counts = frame.select(check.is_wrong.sum().alias(str(i)) for i, check in enumerate(checks)).row(0)
        for check, count in zip(checks, counts, strict=True):
            if count:
                self._frames.append(_rows_of(frame, check))
                self._count += int(count)

    def frame(self) -> pl.DataFrame:
        """Return all problems, by line."""
        if not self._frames:
            return PROBLEMS.to_frame()
        # One column of the file may give two of ours: what is wrong with it is said once.
        every = pl.concat(self._frames)
        once = every.unique(maintain_order=True).sort("line", nulls_last=False, maintain_order=True)
        found = once.head(MAXIMUM_ROWS)
        more = self._count - (every.height - once.height) - found.height
        if not more:
            return found
        note = {
            "line": None,
            "column": "",
            "value": "",
            "rule": f"{counted(more, 'more problem')} in this file",
            "fix": "Put the first ones right; the rest is often the same mistake.",
        }
        return pl.concat([found, pl.DataFrame([note], schema=PROBLEMS)])


def _rows_of(frame: pl.DataFrame, check: Check) -> pl.DataFrame:
    wrong = frame.filter(check.is_wrong).head(MAXIMUM_ROWS)
    return wrong.select(
        pl.col(LINE).alias("line"),
        pl.lit(check.column).alias("column"),
        check.value.cast(pl.String).fill_null("").str.slice(0, LONGEST_VALUE).alias("value"),
        pl.lit(check.rule).alias("rule"),
        pl.lit(check.fix).alias("fix"),
    )


def _shortened(value: str) -> str:
    return value if len(value) <= LONGEST_VALUE else value[: LONGEST_VALUE - 1] + "…"
