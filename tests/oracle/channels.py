"""How a customer is reached: the channel a step names, the one he prefers, or one that stands in (3, 4, 9.14)."""

from collections.abc import Iterator
from string import ascii_letters, digits

from policies.policy import Policy, Step
from tests.oracle.history import Customer

WRITTEN = ("email", "letter")
LABEL = {*ascii_letters, *digits, "-"}
LOCAL = {*ascii_letters, *digits, *"!#$%&'*+/=?^_`{|}~-"}


def reaches(customer: Customer | None, channel: str, *, bounced: bool) -> bool:
    """Return whether a channel reaches a customer; agencies and courts find him themselves."""
    match channel:
        case "agency" | "court":
            return True
        case "email":
            return customer is not None and not bounced and is_mail_address(customer.email or "")
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


def is_mail_address(text: str) -> bool:
    """Return whether a cell holds one address that mail can go to: `local@domain.example`, spaces around it aside."""
    parts = text.strip(" ").split("@")
    if len(text.strip(" ")) > 254 or len(parts) != 2:
        return False
    local, domain = parts
    try:
        # IDNA of the standard library maps full stops of other scripts to "." and refuses empty or long labels.
        ascii_domain = domain.encode("idna").decode()
    except UnicodeError:
        return False
    is_local = all(word and set(word) <= LOCAL for word in local.split("."))
    return (
        is_local
        and len(f"{local}@{ascii_domain}") <= 254
        and _is_domain(domain, beyond_ascii=True)
        and _is_domain(ascii_domain, beyond_ascii=False)
    )


def _is_domain(domain: str, *, beyond_ascii: bool) -> bool:
    labels = domain.split(".")
    return len(labels) >= 2 and all(
        0 < len(label) <= 63
        and not label.startswith("-")
        and not label.endswith("-")
        and all(character in LABEL or (beyond_ascii and ord(character) >= 128) for character in label)
        for label in labels
    )
