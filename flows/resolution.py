"""A person says whether a message left of which nobody could tell."""

from pathlib import Path

from flows import steps
from flows.engine import ended, storyline
from flows.start import acting, begin, named
from policies.errors import WrongUseError
from tasks.dispatch.doubts import require_doubt
from tasks.dispatch.resolution import resolve_delivery


@storyline("resolve", "Notes whether a message left of which nobody could tell.")
def resolve(message_id: str, left: bool, by: str, why: str, workspace: Path = Path("workspace")) -> str:
    """Settle an uncertain message.

    Args:
        message_id: Its number, as the run names it.
        left: Whether it left: look for it in the sent folder and in the log of the mail server first.
        by: The name of who says so; it is written down as claimed.
        why: What shows it, for the log: no address and no name of a person.
        workspace: The creditor's folder.
    """
    by = named(by)
    if not why.strip():
        raise WrongUseError("--why must say what shows it.")
    run = begin(workspace, None, actor=by)
    with acting(run, "resolve", is_dated=False):
        require_doubt(run.workspace, message_id)
        batch_id = resolve_delivery(run, message_id, left=left, evidence=why, by=by)
        steps.publish_log(run)
    what = (
        "counts as dispatched on the day it was handed over"
        if left
        else f"leaves with the next release, if it is still right: `relance release {batch_id}`"
    )
    sentence = f"Message {message_id} of {batch_id} {what}."
    return ended(sentence, sentence)
