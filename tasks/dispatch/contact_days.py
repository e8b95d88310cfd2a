"""Which messages of a batch wait for a day on which the policy allows contact: approvals come before weekends too."""

from collections.abc import Mapping
from datetime import date

import polars as pl

from policies.closed_days import why_closed_for
from policies.explanations import counted
from policies.model import THIRD_PARTY_CHANNELS, Channel
from policies.policy import Policy


def find_closed(leaving: pl.DataFrame, policy: Policy, on: date, *, has_begun: bool) -> Mapping[str, str]:
    """Return why messages wait on a day, by their numbers; agencies and courts give no reason to wait.

    Letters leave as one print run and calls as one sheet, and can't be taken out once their batch has begun to leave:
    while one of them waits, so does the whole batch. Those of a batch that has begun may be out of the house already.

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
    waiting = own.select(
        "message_id",
        "channel",
        why=pl.col("country").fill_null("").replace_strict(closed, default=None, return_dtype=pl.String),
    ).drop_nulls("why")
    papers = waiting.filter(pl.col("channel") != Channel.EMAIL)
    if papers.height and not has_begun:
        return dict.fromkeys(leaving["message_id"], papers["why"].sort()[0])
    emails = waiting.filter(pl.col("channel") == Channel.EMAIL)
    return dict(emails.select("message_id", "why").iter_rows())


def tell_closed(closed: Mapping[str, str]) -> str:
    """Return a sentence on messages that wait, or nothing."""
    if not closed:
        return ""
    return (
        f"{counted(len(closed), 'message')} not sent: {', '.join(sorted(set(closed.values())))}. "
        "A release on a day of contact lets what is still right leave."
    )
