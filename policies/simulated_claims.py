"""What the messages of a simulated day would claim beside the principal, by the same rules as real ones."""

import polars as pl

from policies.batches import MESSAGE_KEY
from policies.claims import gather_claims
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
    "days_past_due",
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
    claiming = _claiming(acting, policy)
    rows, notes = [], []
    if not claiming.is_empty():
        claims = gather_claims(decisions, acting, facts, policy, law)
        for row in claiming.iter_rows(named=True):
            outcome = claims.of_item(row, bears_fee=row["bears_fee"])
            charges = outcome.charges
            rows.append(
                (row["item"], charges.late_interest, charges.recovery_charge, charges.fees, charges.waived)
            )
            notes += [outcome.note] if outcome.note else []
    claimed = pl.DataFrame(rows, schema={"item": acting.schema["item"], **AMOUNTS}, orient="row")
    return acting.join(claimed, on="item", how="left", maintain_order="left"), notes


def _claiming(acting: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """Return the items whose step may claim anything, and whether the fee of their message stands with them."""
    sets_the_tone = pl.col("step") == pl.col("message_step")
    bears_fee = sets_the_tone & (sets_the_tone.cum_sum().over(MESSAGE_KEY) == 1)
    claiming = {step.step for steps in policy.ladders.values() for step in steps if step.charges or step.fee}
    return acting.select(*_ASKED, bears_fee=bears_fee).filter(pl.col("step").is_in(sorted(claiming)))
