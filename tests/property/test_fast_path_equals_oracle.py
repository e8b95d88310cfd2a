"""The set-based rules and the oracle say the same of every item, whatever the past and the policy.

Two hundred pasts here; `make property` holds ten thousand against each other.
"""

from hypothesis import HealthCheck, Phase, given, settings

from tests.property.comparison import Trial, compare
from tests.property.reduction import as_case, reduced
from tests.property.strategies import PASTS_OF_A_TRIAL, trials

# What differs is made small by `reduced`: one past of many, which Hypothesis would not find by itself.
AS_DRAWN = settings(phases=[Phase.generate], suppress_health_check=list(HealthCheck))


@settings(AS_DRAWN, max_examples=200 // PASTS_OF_A_TRIAL)
@given(trial=trials())
def test_fast_path_equals_oracle(trial: Trial) -> None:
    differences = compare(trial).differences
    if differences:
        smallest = reduced(trial, differences[0])
        raise AssertionError(f"{differences[0]}\n\n{as_case(smallest, compare(smallest).differences)}")
