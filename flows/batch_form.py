"""The form in which a person decides on a batch, in the Prefect UI; imported only under Prefect."""

from datetime import date
from typing import Literal

from prefect.flow_runs import suspend_flow_run
from prefect.input import RunInput
from pydantic import Field, ValidationError

from flows.in_prefect import question_key
from policies.approvals import Answer, Verdict, customers_named


class BatchDecision(RunInput):
    """What a person decides. Nothing is preset: a field with a value in it would no longer be asked for."""

    who: str = Field(title="Who decides", description="Your name; it is written down as you give it.")
    decision: Literal["approve", "reject"] = Field(title="Decision")
    without: str = Field(
        default="",
        title="Customers to leave out",
        description="Only when you approve: their numbers, with commas between.",
    )
    reason: str = Field(
        default="",
        title="Reason",
        description="Needed to reject, and to leave customers out; no private matter.",
    )
    until: date | None = Field(
        default=None,
        title="Held until",
        description="Needed to reject: the last day on which the items are held. Of customers left out: empty = "
        "the next run decides on them anew.",
    )


def ask(number: int, shown: str, text: str, timeout_seconds: int) -> Answer | None:
    """Suspend the run until the form is filled in, and return what was answered; nothing when it makes no sense."""
    try:
        decision = suspend_flow_run(
            wait_for_input=BatchDecision.with_initial_data(description=text),
            timeout=timeout_seconds,
            key=question_key(number, shown),
        )
    except ValidationError:
        return None
    return Answer(
        who=decision.who,
        verdict=Verdict(decision.decision),
        without=customers_named(decision.without),
        why=decision.reason,
        until=decision.until,
    )
