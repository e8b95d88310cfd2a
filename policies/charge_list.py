"""Every charge claimed by what was dispatched: how much by now, why, and whether it still runs, is due or is waived.

What a single message claims is in `policies.claims`; here all claims of a day are listed, also of invoices paid since.
"""

from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

import polars as pl

from policies.bearers import CHARGED, Row, told_items
from policies.charges import RECOVERY_CHARGE, ChargesOutcome
from policies.claims import Claims, gather_claims
from policies.contacts import dispatched_steps
from policies.escalation import Facts
from policies.history import History
from policies.messages import InterestPeriod, ItemCharges
from policies.model import ITEM_KEY, MONEY
from policies.money import format_plain, plain_amounts
from policies.policy import Policy
from policies.statutes import Law

_PERCENT = pl.Decimal(9, 4)
CHARGES = pl.Schema(
    {
        "customer_id": pl.String(),
        "invoice_number": pl.String(),
        "installment": pl.String(),
        "currency": pl.String(),
        "statute": pl.String(),
        "claimed_since": pl.Date(),
        "late_interest": MONEY,
        "recovery_charge": MONEY,
        "fees": MONEY,
        "waived": MONEY,
        "total": MONEY,
        "status": pl.String(),
        "since": pl.Date(),
        "basis": pl.String(),
        "note": pl.String(),
        "periods": pl.List(
            pl.Struct(
                {
                    "from_date": pl.Date(),
                    "to_date": pl.Date(),
                    "days": pl.Int64(),
                    "annual_percent": _PERCENT,
                    "base": MONEY,
                    "amount": MONEY,
                    "source": pl.String(),
                }
            )
        ),
    }
)
"""The columns of `relance report charges`; `total` is what is still claimed, `since` the day of the status."""


class ChargeStatus(StrEnum):
    """What became of a charge: it still runs, is due although the principal is paid, or is claimed no more."""

    RUNNING = "running"
    DUE = "due"
    WAIVED = "waived"


def list_charges(history: History, facts: Facts, policy: Policy, law: Law) -> pl.DataFrame:
    """Return one row per item of which charges were claimed up to the end of the day of the facts."""
    # Facts see dispatches before their day; a list of the evening tells of the day's own too.
    tomorrow = facts.as_of + timedelta(days=1)
    dispatched = dispatched_steps(history.dispatches, facts.allocation.items, facts.events, tomorrow)
    claimed = _claimed_items(dispatched, history.customers, facts, policy)
    if claimed.is_empty():
        return CHARGES.to_frame()
    claims = gather_claims(claimed.select(CHARGED), dispatched, facts, policy, law)
    rows = [_row(item, claims) for item in claimed.sort(ITEM_KEY).iter_rows(named=True)]
    return pl.DataFrame(rows, schema=CHARGES, orient="row")


def with_plain_periods(charges: pl.DataFrame) -> pl.DataFrame:
    """Return the list with the amounts of its periods as text, printed with the digits of their currency."""
    if charges.is_empty():
        return charges
    periods = (
        charges.with_row_index("row")
        .select("row", "currency", "periods")
        .explode("periods", empty_as_null=False, keep_nulls=False)
        .unnest("periods")
        .with_columns(
            base=plain_amounts("base"),
            amount=plain_amounts("amount"),
            annual_percent=pl.col("annual_percent")
            .cast(pl.String)
            .str.strip_chars_end("0")
            .str.strip_chars_end("."),
        )
        .group_by("row", maintain_order=True)
        .agg(periods=pl.struct(pl.exclude("row", "currency")))
    )
    return (
        charges.drop("periods")
        .with_row_index("row")
        .join(periods, on="row", how="left", maintain_order="left")
        .with_columns(pl.col("periods").fill_null([]))
        .drop("row")
    )


def _claimed_items(
    dispatched: pl.DataFrame, customers: pl.DataFrame, facts: Facts, policy: Policy
) -> pl.DataFrame:
    """Return the items of which something was claimed while they were late, with what is open of them."""
    items = facts.allocation.items.filter(~pl.col("is_credit")).select(
        "item", *ITEM_KEY, "currency", "due_date"
    )
    still_open = facts.open_items.filter(pl.col("amount_open") > 0).select(
        "item", "amount_demanded", "insolvent_since", "written_off_on"
    )
    # The fixed charge is owed before the proceedings open, or not at all.
    is_barred = (pl.col("kind") == RECOVERY_CHARGE) & (pl.col("dispatch_date") >= pl.col("insolvent_since"))
    told = (
        told_items(dispatched, items, policy)
        .join(still_open.select("item", "insolvent_since"), on="item", how="left")
        .group_by("item")
        .agg(
            claim=pl.col("kind").filter(~is_barred.fill_null(False)).unique().sort(),
            claimed_since=pl.col("dispatch_date").min(),
        )
    )
    paid_on = facts.cash.group_by("item").agg(paid_on=pl.col("date").max())
    is_paid = pl.col("amount_demanded").is_null()
    return (
        items.join(told, on="item")
        .join(customers.select("customer_id", "customer_type"), on="customer_id", how="left")
        .join(still_open, on="item", how="left")
        .join(paid_on, on="item", how="left")
        .with_columns(
            is_paid=is_paid,
            amount_demanded=pl.col("amount_demanded").fill_null(0),
            until=pl.when(is_paid)
            .then("paid_on")
            .otherwise(pl.min_horizontal("insolvent_since", "written_off_on")),
        )
        .filter(pl.col("until").is_null() | (pl.col("until") > pl.col("due_date")))
    )


def _row(item: Row, claims: Claims) -> dict[str, object]:
    # What was credited in full was never owed: no cash came in, and nothing is left to charge.
    never_owed = item["is_paid"] and item["until"] is None
    until = item["until"] or claims.as_of
    outcome = ChargesOutcome() if never_owed else claims.charged(item, item["claim"], until)
    charges = outcome.charges
    waived = claims.waived_of(item, charges.total)
    status, since = _status(item, claims)
    return {
        **{name: item[name] for name in (*ITEM_KEY, "currency", "claimed_since")},
        "statute": charges.statute,
        "late_interest": charges.late_interest,
        "recovery_charge": charges.recovery_charge,
        "fees": charges.fees,
        "waived": waived,
        "total": Decimal(0) if status is ChargeStatus.WAIVED else charges.total - waived,
        "status": status.value,
        "since": since,
        "basis": _basis(charges, item["currency"]),
        "note": outcome.note,
        "periods": [_period(period) for period in charges.periods],
    }


def _status(item: Row, claims: Claims) -> tuple[ChargeStatus, date]:
    waived_since = claims.waivers.since(item)
    if waived_since is not None:
        return ChargeStatus.WAIVED, waived_since
    stopped: date | None = item["until"]
    if stopped is None and not item["is_paid"]:
        return ChargeStatus.RUNNING, item["due_date"] + timedelta(days=1)
    # A claim on an insolvent customer is declared whole; otherwise the principal is paid, credited or given up.
    is_declared = item["insolvent_since"] is not None and item["insolvent_since"] == stopped
    is_due = claims.policy.charges.survive or is_declared
    return (ChargeStatus.DUE if is_due else ChargeStatus.WAIVED), stopped or claims.as_of


def _basis(charges: ItemCharges, currency: str) -> str:
    """Return each stretch of interest in a few words."""
    return ", ".join(
        f"{period.days} d at {period.annual_rate.scaleb(2).normalize():f} % on {format_plain(period.base, currency)}"
        for period in charges.periods
    )


def _period(period: InterestPeriod) -> dict[str, object]:
    return {
        "from_date": period.from_date,
        "to_date": period.to_date,
        "days": period.days,
        "annual_percent": period.annual_rate.scaleb(2),
        "base": period.base,
        "amount": period.amount,
        "source": period.source,
    }
