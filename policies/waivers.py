"""Charges that are no longer claimed: what `charge_waived` events say, from their date on.

Without an amount nothing at all is claimed any more. An amount is laid once over what can be claimed of the items it
concerns, in an order that does not depend on what acts: so every message and list takes the same off each.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from policies.happenings import of_kind
from policies.model import EventKind
from policies.money import round_money

Row = Mapping[str, Any]

_ZERO = Decimal(0)


class Waivers:
    """What was waived, by customer."""

    def __init__(self, events: pl.DataFrame) -> None:
        """Read the waivers among the events of a day."""
        self._of_customer: dict[str, list[Row]] = {}
        for row in of_kind(events, EventKind.CHARGE_WAIVED).iter_rows(named=True):
            self._of_customer.setdefault(row["customer_id"], []).append(row)

    @property
    def customers_with_amounts(self) -> pl.Series:
        """The customers of whom an amount was waived."""
        names = [
            customer
            for customer, told in self._of_customer.items()
            if any(one["amount"] is not None for one in told)
        ]
        return pl.Series("customer_id", names, dtype=pl.String)

    def since(self, item: Row) -> date | None:
        """Return from when nothing at all is claimed of an item; None while something is."""
        return min(
            (
                one["event_date"]
                for one in self._of_customer.get(item["customer_id"], ())
                if one["amount"] is None and _concerns(one, item)
            ),
            default=None,
        )

    def lay(
        self, items: Iterable[Row], claim: Callable[[Row], Decimal], bears_invoice: Callable[[Row], bool]
    ) -> dict[int, Decimal]:
        """Return how much is waived of each item: amounts about less are laid before those about more.

        Args:
            items: all that can be claimed of, in their order.
            claim: what can be claimed of one.
            bears_invoice: whether an item bears its invoice's charges; an amount for an invoice begins there.
        """
        of_customer: dict[str, list[Row]] = {}
        for item in items:
            of_customer.setdefault(item["customer_id"], []).append(item)
        waived: dict[int, Decimal] = {}
        for customer, rows in of_customer.items():
            left = {row["item"]: _ZERO if self.since(row) else claim(row) for row in rows}
            ordered = sorted(rows, key=lambda row: not bears_invoice(row))
            for one in sorted(self._of_customer[customer], key=_breadth):
                amount = one["amount"] or _ZERO
                for row in ordered if one["invoice_number"] else rows:
                    if _concerns(one, row):
                        part = max(min(round_money(amount, row["currency"]), left[row["item"]]), _ZERO)
                        waived[row["item"]] = waived.get(row["item"], _ZERO) + part
                        left[row["item"]] -= part
                        amount -= part
        return waived


def _concerns(waiver: Row, item: Row) -> bool:
    return all(waiver[name] in (None, item[name]) for name in ("invoice_number", "installment"))


def _breadth(waiver: Row) -> int:
    return (waiver["invoice_number"] is None) + (waiver["installment"] is None)
