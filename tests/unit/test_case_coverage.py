"""What cases show of a policy, and what they don't."""

from datetime import date, timedelta

from policies.case_coverage import Covered, cover, possible_reasons
from policies.escalation import decide
from policies.model import HoldReason
from policies.policy import Policy
from tests.builders import Row, history, policy

AS_OF = date(2026, 3, 10)
SUMMER = {"from": date(2026, 8, 1), "to": date(2026, 8, 15), "why": "Closed"}


def late(days: int, **other: object) -> Row:
    due = AS_OF - timedelta(days=days)
    return {"invoice_number": "A", "invoice_date": date(2026, 1, 1), "due_date": due, "amount": 100} | other


def shown(rules: Policy, kind: str, *invoices: Row, **tables: list[Row]) -> tuple[str, ...]:
    """Return what the items show, each as a case of its own."""
    decided = [decide(history(invoices=[row], **tables), rules, AS_OF) for row in invoices]
    (found,) = [covered for covered in cover(rules, decided) if covered.kind == kind]
    return tuple(name for name in found.names if name not in found.missing)


def test_only_a_step_that_is_taken_is_shown() -> None:
    assert shown(policy(), "steps", late(3), late(-3)) == ("standard.reminder_1",)


def test_segments_risk_classes_and_holds_are_shown_by_their_items() -> None:
    rules = policy(
        segments=[
            {"segment": "large", "when": "open_amount >= 500", "ladder": "standard"},
            {"segment": "small", "when": "open_amount < 500", "ladder": "standard"},
        ],
        risk=[{"class": "high", "when": "overdue_items >= 1"}],
    )
    assert shown(rules, "segments", late(3)) == ("segment small",)
    assert shown(rules, "risk classes", late(3)) == ("risk high",)
    assert shown(rules, "risk classes", late(-3)) == ()
    assert shown(rules, "holds", late(3), late(-3)) == ("no_step_due",)


def test_a_rule_is_shown_where_it_brings_a_step_forward_and_no_rule_before_it_does() -> None:
    rules = policy(
        accelerate=[
            {"when": "broken_promises >= 2", "to": "formal_notice"},
            {"when": "item_broken_promises >= 1", "to": "formal_notice"},
            {"when": "item_broken_promises >= 1", "to": "reminder_2"},
        ]
    )
    broken = {"kind": "promise", "event_date": date(2026, 3, 1), "until": date(2026, 3, 5), "amount": 100}
    assert shown(rules, "accelerations", late(15), events=[broken]) == ("accelerate[1] to formal_notice",)
    assert shown(rules, "accelerations", late(15)) == ()


def test_a_policy_without_risk_classes_has_none_to_show() -> None:
    assert Covered("risk classes", (), ()) in cover(policy(), [])


def test_a_reason_whose_key_is_absent_is_not_asked_for() -> None:
    never = set(HoldReason) - set(possible_reasons(policy()))
    assert never == {
        HoldReason.NO_SEGMENT,
        HoldReason.SMALL_BALANCE,
        HoldReason.SOURCE_STALE,
        HoldReason.CONTACT_GAP,
        HoldReason.CONTACT_CAP,
        HoldReason.NOT_A_CONTACT_DAY,
    }
    everything = policy(
        {"step": "placement", "after_due_days": 1, "channel": "agency"},
        segments=[{"segment": "some", "when": "open_amount >= 5", "ladder": "standard"}],
        small_balance={"EUR": "15.00"},
        guards={"maximum_source_age_business_days": 2},
        contact={"minimum_gap_days": 7, "maximum": {"contacts": 2, "days": 30}},
        calendar={"contact_on": "every_day", "blackouts": [SUMMER]},
    )
    assert set(HoldReason) - set(possible_reasons(everything)) == {HoldReason.MISSING_CONTACT}
