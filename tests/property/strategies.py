"""What Hypothesis draws: trials, each a policy, a day and many pasts that share nothing."""

from hypothesis import strategies as st

from tests.property.comparison import Trial, draw_trial

PASTS_OF_A_TRIAL = 12
"""So many that they share the fast path's own cost, so few that Hypothesis still draws them in one example."""


def trials(pasts: int = PASTS_OF_A_TRIAL) -> st.SearchStrategy[Trial]:
    """Draw a policy, a day and so many pasts."""
    return st.randoms(use_true_random=False).map(lambda source: draw_trial(source, pasts))
