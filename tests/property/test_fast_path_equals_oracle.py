"""The set-based rules and the oracle say the same of every item, whatever the past and the policy."""

from datetime import date

from hypothesis import HealthCheck, given, settings

from policies.history import History
from policies.policy import Policy
from tests.oracle.fast_path import decide_fast, decide_slowly
from tests.property.strategies import days, histories, policies


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(past=histories(), policy=policies(), as_of=days())
def test_fast_path_equals_oracle(past: History, policy: Policy, as_of: date) -> None:
    slow = decide_slowly(past, policy, as_of)
    fast = decide_fast(past, policy, as_of)
    differing = [(a, b) for a, b in zip(slow, fast, strict=False) if a != b]
    assert not differing[:1], f"oracle, fast path: {differing[0]}"
    assert slow == fast
