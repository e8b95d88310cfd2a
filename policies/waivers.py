"""Charges that are no longer claimed: what `charge_waived` events say, from their date on.

Without an amount nothing at all is claimed any more; an amount is taken off what is claimed, never below zero.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from policies.happenings import of_kind
from policies.model import EventKind

Row = Mapping[str, Any]

_ZERO = Decimal(0)


class Waivers:
    """What is no longer claimed: everything of an item, or amounts that are used up item by item."""

    def __init__(self, events: pl.DataFrame) -> None:
        """Read the waivers among the events of a day."""
        self._of_customer: dict[str, list[Row]] = {}
        self._left: dict[tuple[int, str], Decimal] = {}
        for number, row in enumerate(of_kind(events, EventKind.CHARGE_WAIVED).iter_rows(named=True)):
            self._of_customer.setdefault(row["customer_id"], []).append({**row, "number": number})

    def since(self, item: Row) -> date | None:
        """Return from when nothing at all is claimed of an item; None while something is."""
        whole = [one["event_date"] for one in self._concerning(item) if one["amount"] is None]
        return min(whole, default=None)

    def take(self, item: Row, claimed: Decimal, *, bears_invoice: bool) -> Decimal:
        """Return how much of what is claimed of an item is waived.

        An amount waived of a whole invoice begins with the installment that bears the invoice's charges.
        """
        if self.since(item):
            return claimed
        waived = _ZERO
        for one in self._concerning(item):
            key = (one["number"], item["currency"])
            if key not in self._left and (bears_invoice or one["installment"] or not one["invoice_number"]):
                self._left[key] = max(one["amount"], _ZERO)
            part = min(self._left.get(key, _ZERO), claimed - waived)
            self._left[key] = self._left.get(key, _ZERO) - part
            waived += part
        return waived

    def _concerning(self, item: Row) -> list[Row]:
        return [
            one
            for one in self._of_customer.get(item["customer_id"], ())
            if all(one[name] in (None, item[name]) for name in ("invoice_number", "installment"))
        ]
