"""How a customer is reached: the channel a step names, the one he prefers, or one that stands in (3, 4, 9.14)."""

from collections.abc import Iterator

from policies.policy import Policy, Step
from tests.oracle.history import Customer

WRITTEN = ("email", "letter")


def reaches(customer: Customer | None, channel: str, *, bounced: bool) -> bool:
    """Return whether a channel reaches a customer; agencies and courts find him themselves."""
    match channel:
        case "agency" | "court":
            return True
        case "email":
            return customer is not None and not bounced and _is_given(customer.email)
        case "letter" | "registered_letter":
            return customer is not None and _is_given(customer.address_line_1) and _is_given(customer.city)
        case "call":
            return customer is not None and _is_given(customer.phone)
    raise AssertionError(channel)


def channel_used(policy: Policy, customer: Customer | None, step: Step, *, bounced: bool) -> str:
    """Return the first channel in question that reaches the customer, else the step's own."""
    own = str(step.channel)
    preferred = customer.preferred_channel if customer else None
    candidates = list(_chain(policy, own))
    if own in WRITTEN and preferred is not None:
        candidates.insert(0, preferred)
    return next((channel for channel in candidates if reaches(customer, channel, bounced=bounced)), own)


def _chain(policy: Policy, channel: str) -> Iterator[str]:
    stand_ins = {str(of): str(by) for of, by in policy.contact.fallback.items()}
    seen: set[str] = set()
    while channel not in seen:
        yield channel
        seen.add(channel)
        channel = stand_ins.get(channel, channel)


def _is_given(text: str | None) -> bool:
    return bool(text and text.strip())
