"""Loads a policy: the YAML text strictly read, its keys, what ties them together, and every condition.

Everything wrong is told at once. The models stand in `policies.policy_keys`, the ties in
`policies.policy_check`; from here both are had under one name.
"""

import hashlib
from functools import lru_cache

from policies.errors import Problem
from policies.policy_check import find_errors
from policies.policy_keys import (
    Accelerate,
    Anchor,
    Approvals,
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
from policies.policy_reading import Reading, read_policy
from policies.strict_yaml import YamlInvalidError
from policies.yaml_problems import add_lines

__all__ = [
    "Accelerate",
    "Anchor",
    "Approvals",
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
    "list_errors",
    "load_policy",
    "read_policy",
]


@lru_cache(maxsize=32)
def load_policy(text: str, file: str) -> Policy:
    """Return the policy a YAML text describes; raise one error that lists all its problems."""
    reading = read_policy(text, file)
    errors = list_errors(reading, file)
    if errors or reading.policy is None:
        raise YamlInvalidError(errors)
    return reading.policy


def list_errors(reading: Reading, file: str) -> list[Problem]:
    """Return everything wrong in a policy file by itself, from the top."""
    problems = list(reading.problems)
    if reading.policy is not None:
        problems += add_lines(find_errors(reading.policy, file, reading.doubts), reading.content)
    return sorted(dict.fromkeys(problems), key=lambda problem: problem.line or 0)


def content_hash(text: str) -> str:
    """Return the fingerprint of a policy's text: SHA-256, in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()
