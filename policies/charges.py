"""What is claimed beside an item that is paid late: interest day by day, and the fixed charge for recovery costs.

Computed only for messages that leave, one item at a time; never part of a balance or of aging. How interest runs is in
`interest.py`; what the parties of a message add and waive is in `claims.py`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from policies.interest import LateItem, Running, by_contract, by_law, daily_interest, interest_periods
from policies.messages import ItemCharges
from policies.money import round_money
from policies.rates import MissingRateError, RateTable
from policies.statutes import Statute

LATE_INTEREST = "late_interest"
RECOVERY_CHARGE = "recovery_charge"

NO_CHARGES = ItemCharges()


class Omission(StrEnum):
    """Why an item that is late carries no charges."""

    NO_STATUTE = "no_statute"
    NOT_COVERED = "not_covered"
    NO_RATE = "no_rate"
    ABOVE_CEILING = "above_ceiling"
    MISSING_RATE = "missing_rate"


@dataclass(frozen=True)
class ChargesOutcome:
    """The charges of an item; when they are left out, why, as a code and as a sentence for the run."""

    charges: ItemCharges = NO_CHARGES
    omission: Omission | None = None
    note: str = ""


def charge_item(
    item: LateItem,
    statute: Statute | None,
    rates: Mapping[str, RateTable],
    *,
    claim: Collection[str] = (LATE_INTEREST, RECOVERY_CHARGE),
    contract_percent: Decimal | None = None,
) -> ChargesOutcome:
    """Return what is claimed beside an item.

    Args:
        item: the item and what was paid on it since it fell due.
        statute: the law the policy names, for this type of customer; see `statutes.statute_for`.
        rates: the rate series by name.
        claim: the charges the step claims.
        contract_percent: a yearly rate agreed by contract, which stands before that of the law.
    """
    if item.as_of <= item.due_date or not claim:
        return ChargesOutcome()
    law = statute if statute and _is_covered(item, statute) else None
    if omitted := _omission(item, statute, law, contract_percent):
        return omitted
    interest = law.late_interest if law else None
    began = item.first_interest_day
    running: Running | None = None
    if contract_percent is not None:
        running = by_contract(contract_percent, interest, began, rates)
    elif interest:
        running = by_law(interest, began, rates)
    try:
        return ChargesOutcome(_charges(item, law, running, claim))
    except MissingRateError as error:
        note = f"charges left out: {error.rate} has no value for {error.half_year}"
        return ChargesOutcome(omission=Omission.MISSING_RATE, note=note)


def _is_covered(item: LateItem, statute: Statute) -> bool:
    return statute.covers(item.currency, item.customer_type, item.first_interest_day)


def _omission(
    item: LateItem, statute: Statute | None, law: Statute | None, contract_percent: Decimal | None
) -> ChargesOutcome | None:
    """Return why nothing is claimed at all, or nothing."""
    if contract_percent is not None:
        return _above_ceiling(law, contract_percent, item)
    if statute is None:
        return _left_out(Omission.NO_STATUTE, "the policy names no statute")
    if law is None:
        what = f"{item.currency} owed by a {item.customer_type} customer"
        if item.currency in statute.currencies and item.customer_type in statute.customer_types:
            what = f"what was due on {item.due_date}"
        return _left_out(Omission.NOT_COVERED, f"statute {statute.statute} does not cover {what}")
    if law.late_interest is None and law.recovery_charge is None:
        return _left_out(
            Omission.NO_RATE, f"statute {law.statute} gives nothing unless a contract states a rate"
        )
    return None


def _above_ceiling(law: Statute | None, contract_percent: Decimal, item: LateItem) -> ChargesOutcome | None:
    ceiling = law.contract_ceiling if law else None
    if ceiling is None or item.as_of < ceiling.from_date or contract_percent <= ceiling.annual_percent:
        return None
    return _left_out(
        Omission.ABOVE_CEILING,
        f"the contract's {contract_percent.normalize():f} % is above the ceiling of {ceiling.annual_percent} %",
    )


def _left_out(omission: Omission, why: str) -> ChargesOutcome:
    return ChargesOutcome(omission=omission, note=f"charges left out: {why}")


def _charges(
    item: LateItem, law: Statute | None, running: Running | None, claim: Collection[str]
) -> ItemCharges:
    periods = interest_periods(item, running) if running and LATE_INTEREST in claim else ()
    return ItemCharges(
        late_interest=sum((period.amount for period in periods), Decimal(0)),
        recovery_charge=_recovery_charge(item, law) if RECOVERY_CHARGE in claim else Decimal(0),
        periods=periods,
        daily_interest=daily_interest(item, running, periods) if running else Decimal(0),
        statute=law.statute if law else "",
        legal_basis=law.legal_basis if law else "",
    )


def _recovery_charge(item: LateItem, law: Statute | None) -> Decimal:
    fixed = law.recovery_charge if law else None
    if fixed is None or item.recovery_charge_already or item.first_interest_day < fixed.from_date:
        return Decimal(0)
    debt = item.owed_on(item.first_interest_day)
    if debt <= 0:
        return Decimal(0)
    return round_money(fixed.amount_for(item.currency, debt), item.currency)
