"""Loads a policy: the YAML text strictly read, its keys, what ties them together, and every condition.

Everything wrong is told at once. The models stand in `policies.policy_keys`, the ties in
`policies.policy_check`; from here both are had under one name.
"""

import hashlib
from functools import lru_cache

from policies.policy_check import find_errors
from policies.policy_keys import (
    Accelerate,
    Anchor,
    Blackout,
    Calendar,
    Charges,
    Condition,
    Contact,
    ContactCap,
    ContactOn,
    Entry,
    GiveUp,
    Guards,
    LadderMode,
    Policy,
    Provisions,
    RiskClass,
    Segment,
    Step,
    Watch,
)
from policies.strict_yaml import YamlInvalidError, load, validate
from policies.yaml_problems import add_lines

__all__ = [
    "Accelerate",
    "Anchor",
    "Blackout",
    "Calendar",
    "Charges",
    "Condition",
    "Contact",
    "ContactCap",
    "ContactOn",
    "Entry",
    "GiveUp",
    "Guards",
    "LadderMode",
    "Policy",
    "Provisions",
    "RiskClass",
    "Segment",
    "Step",
    "Watch",
    "content_hash",
    "load_policy",
]


@lru_cache(maxsize=32)
def load_policy(text: str, file: str) -> Policy:
    """Return the policy a YAML text describes; raise one error that lists all its problems."""
    content = load(text, file)
    policy = validate(Policy, content, file)
    errors = find_errors(policy, file)
    if errors:
        raise YamlInvalidError(add_lines(errors, content))
    return policy


def content_hash(text: str) -> str:
    """Return the fingerprint of a policy's text: SHA-256, in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()
