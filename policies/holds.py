"""The declared list of holds: every reason not to act, its predicate and its sentence, in their fixed order.

One reason is given: the first whose predicate is true. The first group holds any item, the second says that
no step is due, the third is asked only of items that would act.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from policies.balances import VANISHED
from policies.channels import is_missing_contact, missing_sentence
from policies.explanations import optional_part, say
from policies.model import TOTAL, Channel, HoldReason
from policies.money import plain_amounts
from policies.policy import Policy

_ZERO = pl.lit(0, TOTAL)


@dataclass(frozen=True)
class Hold:
    """A reason with the rows it holds and what it says of them."""

    reason: HoldReason
    predicate: pl.Expr
    sentence: pl.Expr


def first_hold(holds: Sequence[Hold]) -> pl.Expr:
    """Return the place of the first hold that applies; null when none does."""
    return pl.coalesce(
        [pl.when(hold.predicate).then(pl.lit(place, pl.Int64)) for place, hold in enumerate(holds)]
    )


def sentences(decided: pl.DataFrame, holds: Sequence[Hold], due: pl.Expr) -> pl.DataFrame:
    """Return what is said of each item: item, sentence. Every sentence is made only for the rows it is about.

    Args:
        decided: with `held`, the place of the hold of each item.
        holds: in the order of `held`.
        due: the sentence of the items that no hold stops.
    """
    rows = decided.lazy()
    parts = [
        rows.filter(pl.col("held") == place).select("item", sentence=hold.sentence)
        for place, hold in enumerate(holds)
    ]
    acting = rows.filter(pl.col("held").is_null()).select("item", sentence=due)
    return pl.concat([*parts, acting]).collect()


def item_holds() -> list[Hold]:
    """Return the holds that stop any item, whatever step would be due."""
    disputed = plain_amounts("amount_disputed", "currency")
    return [
        Hold(
            HoldReason.INSOLVENT,
            pl.col("insolvent_since").is_not_null(),
            say("Customer insolvent since {}.", "insolvent_since"),
        ),
        Hold(
            HoldReason.WRITTEN_OFF,
            pl.col("written_off_on").is_not_null()
            | ((pl.col("amount_reduced") > 0) & (pl.col("amount_reduced") >= pl.col("amount_open"))),
            say("Written off on {}.", "written_off_on").fill_null(
                "Reductions and write-offs leave nothing to demand."
            ),
        ),
        Hold(
            HoldReason.PLACED,
            pl.col("placed_on").is_not_null(),
            say("With the agency since {}.", "placed_on"),
        ),
        Hold(
            HoldReason.DELIVERY_UNCERTAIN,
            pl.col("uncertain_since").is_not_null(),
            say(
                "A release of {} cannot say whether the message left; a person must look.", "uncertain_since"
            ),
        ),
        Hold(
            HoldReason.DISPUTED,
            (pl.col("amount_disputed") > 0)
            & (pl.col("amount_disputed") + pl.col("amount_reduced") >= pl.col("amount_open")),
            pl.concat_str(
                [
                    say("Disputed since {}: ", "disputed_since"),
                    disputed,
                    pl.lit(" "),
                    pl.col("currency"),
                    optional_part(", to be reviewed on {}", "disputed_review"),
                    pl.lit("."),
                ]
            ),
        ),
        Hold(
            HoldReason.PROMISE_RUNNING,
            pl.col("promise_until").is_not_null(),
            say("Promised on {} to be paid by {}.", "promise_since", "promise_until"),
        ),
        Hold(
            HoldReason.PLAN_RUNNING,
            pl.col("plan_until").is_not_null(),
            say("Payment plan since {}, next instalment due {}.", "plan_since", "plan_due_date"),
        ),
        Hold(
            HoldReason.MANUAL_HOLD,
            pl.col("hold_since").is_not_null(),
            pl.concat_str(
                [
                    say("Held by a person since {}", "hold_since"),
                    optional_part(" until {}", "hold_until"),
                    optional_part(": {}", "hold_why"),
                    pl.lit("."),
                ]
            ),
        ),
        Hold(
            HoldReason.VANISHED,
            (pl.col("absence") == VANISHED).fill_null(False),
            pl.lit("No longer listed by its source, which lists paid invoices too; a person must look."),
        ),
        Hold(
            HoldReason.CREDIT_ITEM,
            pl.col("amount_open") < 0,
            pl.lit("A credit of the customer: nothing to collect."),
        ),
        Hold(HoldReason.NO_DUE_DATE, pl.col("due_date").is_null(), pl.lit("The item has no due date.")),
        Hold(
            HoldReason.NO_SEGMENT,
            pl.col("ladder").is_null(),
            pl.lit("No segment of the policy takes this customer."),
        ),
        Hold(
            HoldReason.AWAITING_APPROVAL,
            pl.col("awaiting_since").is_not_null(),
            say("Step {} has waited for approval or release since {}.", "awaiting_step", "awaiting_since"),
        ),
    ]


def step_holds() -> list[Hold]:
    """Return the holds that say why no step is due; `step_state` comes from `policies.ladder`."""
    return [
        Hold(
            HoldReason.NO_STEP_DUE,
            pl.col("step_state") == "waiting",
            pl.coalesce(
                pl.col("waits_for"),
                say("Next step {} again on {}.", "position_step", "repeat_on"),
                say("Next step {} on {}.", "next_step", "next_step_on"),
                say("Next step {}.", "next_step"),
                say("Next step {} again, once its condition holds.", "position_step"),
            ),
        ),
        Hold(
            HoldReason.LADDER_FINISHED,
            pl.col("step_state") == "finished",
            pl.lit("Every step of the ladder has been taken or left out."),
        ),
    ]


def contact_holds(
    policy: Policy, closed_countries: Mapping[str, str], policy_country_closed: str | None
) -> list[Hold]:
    """Return the holds asked only of items that would act.

    Args:
        policy: whose thresholds and contact rules apply.
        closed_countries: why the day is no contact day in countries of customers, where it is none.
        policy_country_closed: the same for the policy's own country, for customers of no known country.
    """
    net_overdue = pl.col("overdue_amount") + pl.col("unapplied_amount")
    has_overdue = pl.col("overdue_amount") > 0
    is_own_contact = ~pl.col("channel").is_in([Channel.AGENCY.value, Channel.COURT.value])
    gap_days, maximum = policy.contact.minimum_gap_days, policy.contact.maximum
    stale_after = policy.guards.maximum_source_age_business_days
    holds = [
        Hold(
            HoldReason.UNAPPLIED_CASH,
            is_covered(),
            pl.concat_str(
                [
                    pl.lit("Unapplied cash of "),
                    plain_amounts(-pl.col("unapplied_amount"), "currency"),
                    pl.lit(" "),
                    pl.col("currency"),
                    pl.lit(" covers what is overdue."),
                ]
            ),
        ),
        Hold(
            HoldReason.SMALL_BALANCE,
            has_overdue & (net_overdue < threshold(policy.small_balance)).fill_null(False),
            pl.concat_str(
                [
                    pl.lit("Only "),
                    plain_amounts(net_overdue, "currency"),
                    pl.lit(" "),
                    pl.col("currency"),
                    pl.lit(" overdue, under the threshold of the policy."),
                ]
            ),
        ),
        Hold(HoldReason.MISSING_CONTACT, is_missing_contact(), missing_sentence(policy.contact.fallback)),
    ]
    if stale_after is not None:
        holds.append(
            Hold(
                HoldReason.SOURCE_STALE,
                (pl.col("source_age_business_days") > stale_after).fill_null(False),
                say("The newest payments or balances are {} business days old.", "source_age_business_days"),
            )
        )
    if gap_days is not None:
        holds.append(
            Hold(
                HoldReason.CONTACT_GAP,
                is_own_contact & (pl.col("days_since_last_contact") < gap_days).fill_null(False),
                say("Last contacted on {}, less than " + str(gap_days) + " days ago.", "last_contact"),
            )
        )
    if maximum is not None:
        holds.append(
            Hold(
                HoldReason.CONTACT_CAP,
                is_own_contact & (pl.col("contacts_in_period") >= maximum.contacts).fill_null(False),
                say("Contacted on {} of the last " + str(maximum.days) + " days.", "contacts_in_period"),
            )
        )
    why_closed = (
        pl.when(pl.col("has_calendar"))
        .then(pl.col("country").replace_strict(closed_countries, default=None, return_dtype=pl.String))
        .otherwise(pl.lit(policy_country_closed, pl.String))
    )
    holds.append(
        Hold(
            HoldReason.NOT_A_CONTACT_DAY,
            is_own_contact & why_closed.is_not_null(),
            pl.format("{}.", why_closed),
        )
    )
    return holds


def is_covered() -> pl.Expr:
    """Return whether unapplied cash covers all that is overdue of the account of a row."""
    overdue, unapplied = pl.col("overdue_amount"), pl.col("unapplied_amount")
    return (overdue > 0) & (unapplied < 0) & (overdue + unapplied <= 0)


def threshold(by_currency: Mapping[str, Decimal]) -> pl.Expr:
    """Return the threshold of the row's currency, null for currencies without one."""
    parts = [
        pl.when(pl.col("currency") == currency).then(pl.lit(amount, TOTAL))
        for currency, amount in by_currency.items()
    ]
    return pl.coalesce([*parts, pl.lit(None, TOTAL)])
