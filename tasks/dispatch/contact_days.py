"""Which messages of a batch wait for a day on which the policy allows contact: approvals come before weekends too."""

from collections.abc import Mapping
from datetime import date

import polars as pl

from policies.closed_days import why_closed_for
from policies.explanations import counted
from policies.model import THIRD_PARTY_CHANNELS, Channel
from policies.policy import Policy


def find_closed(leaving: pl.DataFrame, policy: Policy, on: date, *, has_begun: bool) -> Mapping[str, str]:
    """Return why messages wait on a day, by their numbers; what goes to agencies and courts never waits.

    Letters leave as one print run and calls as one sheet: all of them wait while one of them does. Those of a batch
    that has begun to leave may be out of the house, and wait no more.

    Args:
        leaving: `read_leaving`.
        policy: says on which days nobody is contacted.
        on: the day of the release.
        has_begun: whether the batch has begun to leave.
    """
    own = leaving.filter(~pl.col("channel").is_in([one.value for one in THIRD_PARTY_CHANNELS]))
    closed = why_closed_for(policy, own["country"].fill_null("").unique(), on)
    if not closed:
        return {}
    by_email = pl.col("channel") == Channel.EMAIL
    waiting = own.select(
        "message_id",
        by_email.alias("is_email"),
        why=pl.col("country").fill_null("").replace_strict(closed, default=None, return_dtype=pl.String),
    )
    emails = waiting.filter("is_email", pl.col("why").is_not_null())
    papers = waiting.filter(~pl.col("is_email"))
    if has_begun or papers["why"].null_count() == papers.height:
        papers = papers.clear()
    first = papers["why"].drop_nulls().sort().first()
    papers = papers.with_columns(pl.col("why").fill_null(pl.lit(first, pl.String)))
    return dict(pl.concat([emails, papers]).select("message_id", "why").iter_rows())


def tell_closed(closed: Mapping[str, str]) -> str:
    """Return a sentence on messages that wait, or nothing."""
    if not closed:
        return ""
    return (
        f"{counted(len(closed), 'message')} not sent: {', '.join(sorted(set(closed.values())))}. "
        "A release on a day of contact lets what is still right leave."
    )
