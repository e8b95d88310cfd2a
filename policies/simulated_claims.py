"""What the messages of a simulated day would claim beside the principal, by the same rules as real ones."""

import polars as pl

from policies.batches import MESSAGE_KEY
from policies.claims import claims_of_messages
from policies.escalation import Facts
from policies.model import TOTAL
from policies.policy import Policy
from policies.statutes import Law

AMOUNTS: dict[str, pl.DataType] = dict.fromkeys(("late_interest", "recovery_charge", "fees", "waived"), TOTAL)
"""The parts of a claim, in the item's currency; `waived` is taken off the others."""

_ASKED = (
    "item",
    "customer_id",
    "invoice_number",
    "installment",
    "currency",
    "due_date",
    "customer_type",
    "amount_demanded",
    "ladder",
    "step",
)


def with_claims(
    decisions: pl.DataFrame, facts: Facts, policy: Policy, law: Law
) -> tuple[pl.DataFrame, list[str]]:
    """Return the items that act with what each claims, and why charges were left out, once per item.

    Amounts are null where the step claims nothing, and zero where it does but nothing is to be had.
    """
    acting = decisions.filter("act").sort(*MESSAGE_KEY, "due_date", "item")
    asked = _claiming(acting, facts, policy)
    rows, notes = [], []
    if not asked.is_empty():
        claims = claims_of_messages(acting, facts, policy, law)
        for row in asked.iter_rows(named=True):
            outcome = claims.of_item(row)
            charges = outcome.charges
            rows.append(
                (row["item"], charges.late_interest, charges.recovery_charge, charges.fees, charges.waived)
            )
            notes += [outcome.note] if outcome.note else []
    claimed = pl.DataFrame(rows, schema={"item": acting.schema["item"], **AMOUNTS}, orient="row")
    return acting.join(claimed, on="item", how="left", maintain_order="left"), notes


def _claiming(acting: pl.DataFrame, facts: Facts, policy: Policy) -> pl.DataFrame:
    """Return the items whose step may claim anything, and those with fees to state again."""
    claiming = {step.step for steps in policy.ladders.values() for step in steps if step.charges or step.fee}
    with_fees = facts.dispatched.filter(pl.col("fee") > 0)["item"]
    return acting.select(_ASKED).filter(
        pl.col("step").is_in(sorted(claiming)) | pl.col("item").is_in(with_fees.implode())
    )
