"""How a customer is reached: by the channel of the step, the one he prefers, or one that stands in.

A channel reaches a customer whose address for it is known, usable and did not come back. Registered letters,
agencies and courts are never replaced: the law, or a contract, asks for exactly these.
"""

from collections.abc import Iterator, Mapping

import polars as pl

from policies.mail_addresses import has_mail_address
from policies.policy_keys import ReachableChannel

WRITTEN_CHANNELS: tuple[ReachableChannel, ...] = ("email", "letter")
_REACHED_BY = "reached_by_"
_LONGEST_SHOWN = 60
_REPLACEABLE: tuple[ReachableChannel, ...] = (*WRITTEN_CHANNELS, "call")


def is_blank(name: str) -> pl.Expr:
    """Return whether a text column says nothing."""
    return pl.col(name).fill_null("").str.strip_chars() == ""


def reach() -> dict[str, pl.Expr]:
    """Return for each channel that needs an address whether it reaches the customer of the row, by column name."""
    postal = ~(is_blank("address_line_1") | is_blank("city"))
    return {
        "reached_by_email": has_mail_address("email") & ~pl.col("bounced"),
        "reached_by_letter": postal,
        "reached_by_registered_letter": postal,
        "reached_by_call": ~is_blank("phone"),
    }


def is_missing_contact() -> pl.Expr:
    """Return whether the channel of the row does not reach its customer."""
    return pl.any_horizontal(
        (pl.col("channel") == name.removeprefix(_REACHED_BY)).fill_null(False)
        & ~pl.col(name).fill_null(False)
        for name in reach()
    )


def missing_sentence(fallback: Mapping[ReachableChannel, ReachableChannel]) -> pl.Expr:
    """Return what is missing to reach the customer of the row, for each channel that was tried.

    Args:
        fallback: the policy's `contact.fallback`.
    """
    sentences = [
        pl.when(pl.col("channel") == channel).then(_listed(channel, fallback)) for channel in _REPLACEABLE
    ]
    return pl.format("The customer has {}.", pl.coalesce([*sentences, _missing_address()]))


def _listed(channel: ReachableChannel, fallback: Mapping[ReachableChannel, ReachableChannel]) -> pl.Expr:
    missing = {
        "email": _missing_mail_address(),
        "letter": _missing_address(),
        "call": pl.lit("no telephone number"),
    }
    tried = list(_chain(channel, fallback))
    preferred = [
        pl.when(pl.col("preferred_channel") == other).then(missing[other])
        for other in WRITTEN_CHANNELS
        if channel in WRITTEN_CHANNELS and other not in tried
    ]
    return pl.concat_str(
        [*preferred, *(missing[other] for other in tried)], separator=", ", ignore_nulls=True
    )


def _missing_mail_address() -> pl.Expr:
    shown = pl.col("email").str.replace_all(r"[\s\p{C}]+", " ").str.strip_chars()
    cut = pl.when(shown.str.len_chars() > _LONGEST_SHOWN).then(
        pl.format("{}...", shown.str.head(_LONGEST_SHOWN))
    )
    return (
        pl.when(is_blank("email"))
        .then(pl.lit("no e-mail address"))
        .when(~has_mail_address("email"))
        .then(pl.format("no usable e-mail address ('{}')", pl.coalesce(cut, shown)))
        .otherwise(pl.lit("an e-mail address that came back as undeliverable"))
    )


def _missing_address() -> pl.Expr:
    return (
        pl.when(is_blank("address_line_1") & is_blank("city"))
        .then(pl.lit("no postal address"))
        .when(is_blank("address_line_1"))
        .then(pl.lit("a postal address without a street"))
        .otherwise(pl.lit("a postal address without a city"))
    )


def used_channel(own: str, fallback: Mapping[ReachableChannel, ReachableChannel]) -> pl.Expr:
    """Return the channel that a step goes by: the first that reaches the customer, else the step's own.

    Tried in this order: the one the customer prefers (for what is written), the step's own, and what stands in
    for it.

    Args:
        own: the column with the step's channel.
        fallback: the policy's `contact.fallback`.
    """
    options = [
        pl.when((pl.col(own) == channel) & is_chosen).then(pl.lit(candidate))
        for channel in _REPLACEABLE
        for candidate, is_chosen in _candidates(channel, fallback)
    ]
    return pl.coalesce([*options, pl.col(own)])


def _candidates(
    channel: ReachableChannel, fallback: Mapping[ReachableChannel, ReachableChannel]
) -> Iterator[tuple[str, pl.Expr]]:
    """Yield the channels to try for a step's channel, each with whether it is to be taken."""
    if channel in WRITTEN_CHANNELS:
        for preferred in WRITTEN_CHANNELS:
            yield preferred, (pl.col("preferred_channel") == preferred) & _reaches(preferred)
    for stand_in in _chain(channel, fallback):
        yield stand_in, _reaches(stand_in)


def _chain(
    channel: ReachableChannel, fallback: Mapping[ReachableChannel, ReachableChannel]
) -> Iterator[ReachableChannel]:
    """Yield the channel and what stands in for it, one after the other."""
    tried: list[ReachableChannel] = []
    stand_in: ReachableChannel | None = channel
    while stand_in is not None and stand_in not in tried:
        tried.append(stand_in)
        yield stand_in
        stand_in = fallback.get(stand_in)


def _reaches(channel: ReachableChannel) -> pl.Expr:
    return pl.col(_REACHED_BY + channel).fill_null(False)
