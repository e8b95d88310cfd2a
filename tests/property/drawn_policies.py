"""Draws the keys of a policy that could be loaded, every key and every fact that decides anything."""

from typing import Any

from policies.facts import FACTS
from tests.property.chance import AMOUNTS, LIMITS, Chance, Row

STEP_CHANNELS = {
    "courtesy": "email",
    "reminder_1": "email",
    "reminder_2": "letter",
    "call": "call",
    "formal_notice": "registered_letter",
    "placement": "agency",
    "suit": "court",
}
"""The steps of the ladders `standard` and `small`; pasts are full of them too."""

OTHER_CHANNELS = {
    "early_word": "email",
    "first_note": "letter",
    "second_note": "email",
    "reminder_2": "letter",
}
"""The ladder `other` shares one name alone with the others."""

RARE = ("agency", "court")
PRE_DUE = ({"after_due_days": -7}, {"after_due_days": -1}, {"before_due": True, "after_invoice_days": 5})
FALLBACKS: tuple[Row, ...] = (
    {"email": "letter"},
    {"email": "letter", "call": "email"},
    {"email": "call", "call": "letter"},
    {"letter": "email", "email": "call"},
)

ACCOUNT_CONDITIONS = (
    "overdue_amount >= 100",
    "open_amount < 60",
    "overdue_items >= 2",
    "oldest_days_past_due > 30",
    "unapplied_amount < 0",
    "paid_invoices = 0",
    "average_days_late > 10",
    "median_days_late > 7 or median_days_late is null",
    "late_share >= 0.5",
    "late_trend_days > 0",
    "exposure_share > 0.02",
    "broken_promises >= 1",
    "kept_promises >= 1 and broken_promises = 0",
    "language = 'fr'",
    "customer_type = 'public' or country = 'DE'",
    "customer_id like '%1'",
    "currency = 'USD' and open_amount >= 50",
    "country in ('DE', 'FR') and not tags ilike '%VIP%'",
    "credit_rating is distinct from 'A'",
    "coalesce(credit_limit, 0) < open_amount",
    "contacts_without_answer >= 1",
    "days_since_last_contact > 10",
    "days_since_last_payment <= 30",
    "bounced",
    "overdue_amount / open_amount > 0.5",
)
ITEM_CONDITIONS = (
    "amount_open >= 50",
    "amount >= 100 and currency = 'EUR'",
    "invoice_number <> '2'",
    "not credit_rating = 'A'",
    "item_broken_promises >= 1",
    "amount_disputed > 0",
    "days_since_last_step is null or days_since_last_step > 5",
    "purchase_order is not null",
    "payment_method in ('transfer', 'card')",
    "aging_bucket = 'days_1_30' or aging_bucket = 'not_due'",
    "days_past_due between 5 and 40",
    "days_since_invoice >= 10",
    "invoice_date < DATE '{today}'",
    "due_date <= DATE '{today}'",
    "tags like '%vip%'",
    "overdue_amount + unapplied_amount >= 100",
    "case when country = 'FR' then 1 else 2 end = 1",
    "risk = 'high'",
    "segment <> 'small'",
)


def _account_condition(chance: Chance) -> str:
    return chance.pick(ACCOUNT_CONDITIONS)


def _item_condition(chance: Chance) -> str:
    return chance.pick((*ITEM_CONDITIONS, *ACCOUNT_CONDITIONS)).format(today=chance.ago(chance.pick(LIMITS)))


def _timing(chance: Chance, place: int) -> Row:
    kinds = ["due", "due", "invoice", "both"] + ["previous", "previous", "due and previous"] * (place > 0)
    kind = chance.pick(kinds)
    timing: Row = {}
    if kind in {"due", "both", "due and previous"}:
        timing["after_due_days"] = chance.pick(LIMITS)
    if kind in {"invoice", "both"}:
        timing["after_invoice_days"] = chance.pick(LIMITS)
    if kind.endswith("previous"):
        timing["after_previous_days"] = chance.pick(LIMITS)
    if kind != "previous" and chance.one_in(6):
        timing["end_of_month"] = True
    return timing


def _step(chance: Chance, name: str, channel: str, place: int) -> Row:
    step: Row = {"step": name, "channel": channel}
    step |= chance.pick(PRE_DUE) if name in {"courtesy", "early_word"} else _timing(chance, place)
    if chance.one_in(4):
        step["when"] = _item_condition(chance)
    if chance.one_in(10):
        step["minimum_amount"] = {"EUR": chance.pick(AMOUNTS), "USD": chance.pick(AMOUNTS)}
    if chance.one_in(6):
        step |= {"approval": "required", "approvers": chance.count(2, 1)}
    if chance.one_in(6):
        step["answer_within_days"] = chance.pick(LIMITS)
    if chance.one_in(4):
        step["repeat_every_days"] = max(1, chance.pick(LIMITS))
        if chance.one_in(2):
            step["repeat_at_most"] = chance.count(2, 1)
    if channel == "call":
        step |= {"requires_outcome": chance.one_in(2), "by": "supervisor"}
    elif chance.one_in(10):
        step["requires_outcome"] = True
    if channel in {"registered_letter", "letter"}:
        step["needs_delivery_proof"] = chance.one_in(3)
    return step


def _ladder(chance: Chance, channels: dict[str, str]) -> list[Row]:
    names = [name for name in channels if chance.one_in(4 if channels[name] in RARE else 2)] or ["reminder_2"]
    return [_step(chance, name, channels[name], place) for place, name in enumerate(names)]


def _segments(chance: Chance) -> list[Row]:
    segments: list[Row] = [
        {"segment": segment, "when": _account_condition(chance), "ladder": segment}
        for segment in ("small", "other")
        if chance.one_in(2)
    ]
    if segments and chance.one_in(4):
        return [*segments, {"segment": "large", "when": _account_condition(chance), "ladder": "standard"}]
    return [*segments, {"segment": "everyone", "ladder": "standard"}]


def _contact(chance: Chance) -> Row:
    contact: Row = {}
    if chance.one_in(2):
        contact["minimum_gap_days"] = chance.pick(LIMITS)
    if chance.one_in(3):
        contact["maximum"] = {"contacts": chance.count(2, 1), "days": max(1, chance.pick(LIMITS))}
    if chance.one_in(2):
        contact["fallback"] = chance.pick(FALLBACKS)
    return contact


def _calendar(chance: Chance) -> Row:
    calendar: Row = {"contact_on": chance.pick(("every_day", "business_days"))}
    country = chance.pick((None, "FR", "DE", "CA-QC", "SA"))
    if country is not None:
        calendar["country"] = country
    if chance.one_in(4):
        first = chance.ago(chance.pick((0, 1, 2)))
        last = max(first, chance.ago(chance.pick((0, 1))))
        calendar["blackouts"] = [{"from": first, "to": last, "why": "Stock-taking."}]
    return calendar


def draw_policy(chance: Chance) -> Row:
    """Return the keys of a policy as they stand in a file."""
    ladders = {name: _ladder(chance, STEP_CHANNELS) for name in ("standard", "small")}
    ladders["other"] = _ladder(chance, OTHER_CHANNELS)
    keys: Row = {
        "policy": "drawn",
        "description": "Drawn by chance.",
        "aging_buckets_days": chance.pick(([0, 30, 60, 90], [0, 10], [0, 7, 15, 30, 60, 365])),
        "ladder_mode": chance.pick(("one_step_at_a_time", "most_severe")),
        "entry": chance.pick(("start_at_first_step", "start_at_first_step", "start_by_age")),
        "anchor": chance.pick(("item", "item", "oldest_item")),
        "promise_grace_days": chance.pick((0, 0, 2)),
        "segments": _segments(chance),
        "contact": _contact(chance),
    }
    used = [segment["ladder"] for segment in keys["segments"]]
    keys["ladders"] = {name: ladder for name, ladder in ladders.items() if name in used}
    if chance.one_in(2):
        keys["risk"] = [{"class": "high", "when": _account_condition(chance)}]
        keys["risk"].append({"class": "middle", "when": _account_condition(chance)})
        keys["risk"] += [{"class": "normal"}] if chance.one_in(2) else []
    if chance.one_in(2):
        names = sorted({step["step"] for ladder in keys["ladders"].values() for step in ladder})
        keys["accelerate"] = [
            {"when": _item_condition(chance), "to": chance.pick(names)} for _ in range(chance.count(2, 1))
        ]
    if chance.one_in(3):
        keys["small_balance"] = {"EUR": chance.pick(AMOUNTS), "USD": chance.pick(AMOUNTS)}
    if chance.one_in(2):
        keys["calendar"] = _calendar(chance)
    if chance.one_in(4):
        keys["guards"] = {"maximum_source_age_business_days": chance.count(3)}
    return keys


def facts_named(keys: Row) -> set[str]:
    """Return the facts that the conditions of a policy speak of."""
    words = set(_words(keys))
    return {name for name in FACTS if any(name in text for text in words)}


def _words(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["when"]] if isinstance(value.get("when"), str) else []
        return own + [text for part in value.values() for text in _words(part)]
    return [text for part in value for text in _words(part)] if isinstance(value, list) else []
