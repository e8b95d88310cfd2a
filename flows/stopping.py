"""All release is halted at once, or goes on: a file that every release looks for, then the log."""

from pathlib import Path

from flows import clock, engine, steps
from flows.engine import ended, storyline
from flows.start import acting, begin, named
from policies.errors import WaitingError, WrongUseError
from tasks.stopping import start as let_go_on
from tasks.stopping import stop as halt
from tasks.workspace import open_workspace


@storyline("stop", "Halts all release at once: nothing leaves until `start`. Everything else goes on.")
def stop(by: str, why: str, workspace: Path = Path("workspace")) -> str:
    """Halt all release.

    Args:
        by: The name of who stops; it is written down as claimed.
        why: The reason; whoever wants to release reads it.
        workspace: The creditor's folder.
    """
    by = named(by)
    if not why.strip():
        raise WrongUseError("--why must say the reason.")
    halted = halt(open_workspace(workspace), by, why, clock.now())
    sentence = f"Nothing leaves any more: {halted.sentence}"
    engine.say("nothing leaves from this moment on; the log is told next")
    try:
        run = begin(workspace, None, actor=by)
        with acting(run, "stop", is_dated=False):
            steps.publish_log(run)
    except WaitingError as busy:
        engine.say(f"the log hears of the stop from the next run: {busy}")
    return ended(sentence, sentence, needs_person=True)


@storyline("start", "Lets batches leave again after `stop`.")
def start(by: str, workspace: Path = Path("workspace")) -> str:
    """Let release go on.

    Args:
        by: The name of who starts; it is written down as claimed.
        workspace: The creditor's folder.
    """
    by = named(by)
    run = begin(workspace, None, actor=by)
    with acting(run, "start", is_dated=False):
        halted = let_go_on(run, by)
        steps.publish_log(run)
    sentence = (
        f"Batches may leave again; release was stopped by {halted.by} since {halted.since[:19]}."
        if halted
        else "Release was not stopped: nothing changed."
    )
    return ended(sentence, sentence)
