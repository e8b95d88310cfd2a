"""Messages of one day, from short rows and steps."""

from collections.abc import Mapping, Sequence
from datetime import date

from policies.composition import Composing, compose_messages
from policies.escalation import decide_from_facts, gather_facts
from policies.messages import Message
from policies.statutes import Law
from tests.builders import Row, history, policy
from tests.unit.law import RATES, STATUTES

AS_OF = date(2026, 3, 10)
CLAIMING = {
    "step": "reminder",
    "after_due_days": 1,
    "channel": "email",
    "charges": ["late_interest", "recovery_charge"],
}


def invoice(number: str = "A", due: date = date(2026, 2, 8), **row: object) -> Row:
    return {"invoice_number": number, "invoice_date": date(2026, 1, 1), "due_date": due, "amount": 100, **row}


def composed(
    *steps: Row,
    keys: Mapping[str, object] | None = None,
    law: Law = Law(STATUTES, RATES),  # noqa: B008 - frozen
    **tables: Sequence[Row],
) -> list[Message]:
    known, rules = history(**tables), policy(*steps, **(keys or {}))
    facts = gather_facts(known, rules, AS_OF)
    composing = Composing(
        facts=facts,
        history=known,
        policy=rules,
        policy_hash="0" * 64,
        law=law,
        default_language="fr",
        name_batch=lambda needs_approval, step: f"{step}, approval {needs_approval}",
    )
    return compose_messages(decide_from_facts(facts, known, rules), composing)
