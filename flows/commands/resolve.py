"""`relance resolve [MESSAGE]`: whether an uncertain message left; without a decision, all that is known."""

from typing import Annotated

from cyclopts import Parameter

from flows.commands.options import DEFAULT_WORKSPACE, Format, Workspace


def resolve(
    message: str = "",
    /,
    *,
    left: Annotated[bool, Parameter(name="--left", negative="")] = False,
    not_left: Annotated[bool, Parameter(name="--not-left", negative="")] = False,
    by: str = "",
    why: str = "",
    format: Format = "table",
    workspace: Workspace = DEFAULT_WORKSPACE,
) -> int:
    """Say whether an uncertain message left; without --left or --not-left, show what is known.

    Args:
        message: its number; left out = all that are uncertain.
        left: it left: it counts as dispatched on the day it was handed over, and is never sent again.
        not_left: it did not leave: the next release sends it, if it is still right then.
        by: who says so.
        why: what shows it, for the log: no address and no name of a person.
        format: how what is known is printed.
        workspace: the creditor's folder.
    """
    from policies.errors import ExitCode, WrongUseError

    if left == not_left and (left or by or why):
        raise WrongUseError(
            f"nothing was settled: say {'one of the two only' if left else 'which of the two'}. --left = it left, "
            "counts as dispatched on the day it was handed over, and is never sent again; --not-left = it did not "
            "leave, and the next release sends it, if it is still right then. In doubt leave it: nobody is asked twice."
        )
    if not left and not not_left:
        return _show(message, format, workspace)
    if not message:
        raise WrongUseError("name the message: `relance resolve` lists those that are uncertain.")
    from flows.resolution import resolve as flow

    print(flow(message_id=message, left=left, by=by, why=why, workspace=workspace))
    return ExitCode.DONE


def _show(message: str, format: Format, workspace: Workspace) -> int:
    from flows.commands.reading import take_in_what_was_cut
    from policies.errors import ExitCode
    from tasks.dispatch.doubts import list_doubts
    from tasks.present import print_frame, print_lines
    from tasks.workspace import open_workspace

    take_in_what_was_cut(workspace)
    doubts = list_doubts(open_workspace(workspace), message)
    if format != "table":
        print_frame(doubts, format, "Uncertain messages", {name: name for name in doubts.columns})
    elif doubts.is_empty():
        print_lines(["No message is uncertain."])
    else:
        print_lines([line for row in doubts.iter_rows(named=True) for line in _told(row)])
    return ExitCode.DONE if doubts.is_empty() else ExitCode.WAITING


def _told(row: dict[str, str | None]) -> list[str]:
    return [
        (
            f"Message {row['message_id']}: {row['step']} by {row['channel']} to customer {row['customer_id']}, "
            f"batch {row['batch_id']}"
        ),
        f"  handed over  {row['handed_over_at'] or 'at a time that the journal does not hold'}",
        f"  answer       {row['answer']}",
        f"  look for     Message-ID {row['mail_id'] or 'unknown'}, in the sent folder and the mail server's log",
        f"  document     {row['document'] or 'no longer here'}",
        f"               SHA-256 {row['document_sha256'] or 'unknown'}",
        f"  journal      {row['journal']}",
        (
            "  Found: it left.      "
            f"relance resolve {row['message_id']} --left --by NAME --why 'found in the sent folder'"
        ),
        (
            "  Surely not there:    "
            f"relance resolve {row['message_id']} --not-left --by NAME --why 'not in the mail log'"
        ),
        "  In doubt: leave it. Nobody is asked twice, and the customer's items are held.",
    ]
