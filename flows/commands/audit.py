"""`relance audit`: what only reads does so at any moment, also while a flow holds the store."""

import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from flows.commands.options import DEFAULT_WORKSPACE, AsOf, Format, Workspace

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from tasks.workspace import Workspace as OpenedWorkspace

AnswerFormat = Annotated[
    Literal["table", "csv", "json", "parquet", "xlsx", "html"],
    Parameter(name="--format", help="How the answer is given; files go to standard output."),
]
_LOG = {
    "sequence": "no.",
    "recorded_at": "recorded (UTC)",
    "actor": "actor",
    "kind": "kind",
    "customer_id": "customer",
    "action_id": "action",
}


def log(
    *,
    customer: str | None = None,
    kind: str | None = None,
    run: str | None = None,
    newest: Annotated[int | None, Parameter(help="Only so many of the newest events.")] = None,
    format: Format = "table",
    workspace: Workspace = DEFAULT_WORKSPACE,
) -> None:
    """Show the events of the log, oldest first, as published.

    Args:
        customer: only this customer's.
        kind: only this kind.
        run: only this run's.
        newest: only so many of the newest.
        format: how they are printed.
        workspace: the creditor's folder.
    """
    import polars as pl

    from tasks.audit.published_log import read_events
    from tasks.present import print_frame
    from tasks.workspace import open_workspace

    shown = read_events(open_workspace(workspace), customer=customer, kind=kind, run=run, newest=newest)
    if format == "table":
        shown = shown.with_columns(
            pl.col("recorded_at").dt.strftime("%Y-%m-%d %H:%M:%S"), pl.col("action_id").str.head(8)
        )
    print_frame(shown, format, "Audit log", _LOG)


def show(
    action: str,
    /,
    *,
    document: Annotated[
        bool, Parameter(help="Write the document's bytes to standard output instead.")
    ] = False,
    address: Annotated[
        str | None, Parameter(help="Say whether the message went to this address, instead.")
    ] = None,
    workspace: Workspace = DEFAULT_WORKSPACE,
) -> None:
    """Show all that is known of one action, and prove that its document is the one that left.

    Args:
        action: its number, or the first characters of it.
        document: write the document itself, if it is the one that left.
        address: an e-mail address, phone number or postal address in one line.
        workspace: the creditor's folder.
    """
    from policies.errors import AuditBrokenError
    from tasks.audit.proof import (
        find_action,
        prove_address,
        prove_document,
        prove_prints,
        read_document,
        tell_action,
    )
    from tasks.present import print_lines, to_json
    from tasks.workspace import open_workspace

    opened = open_workspace(workspace)
    found = find_action(opened, action)
    if document:
        content, proof = read_document(opened, found)
        if not proof.is_whole:
            print(proof.sentence, file=sys.stderr)
        sys.stdout.buffer.write(content)
        return
    if address is not None:
        print_lines([prove_address(opened, found, address)])
        return
    proof = prove_document(opened, found)
    prints = [f"{one[:1].upper()}{one[1:]}." for one in prove_prints(opened, found)]
    print_lines([*tell_action(found), proof.sentence, *prints])
    print(to_json(found.events))
    if not proof.holds or prints:
        raise AuditBrokenError(" ".join([*([] if proof.holds else [proof.sentence]), *prints]))


def verify(*, head: tuple[Path, ...] = (), workspace: Workspace = DEFAULT_WORKSPACE) -> None:
    """Check the log, in the store and as published, and that the state agrees; exit code 6 tells all that is wrong.

    Args:
        head: a copy of heads.jsonl or head.json that was kept elsewhere; may be given several times.
        workspace: the creditor's folder.
    """
    from tasks.audit.verify import verify_log
    from tasks.workspace import open_workspace

    print(verify_log(open_workspace(workspace), head))


def query(
    *words: Annotated[str, Parameter(help="A ready question and what it needs, or one select in SQL.")],
    from_: Annotated[date | None, Parameter(name="--from", help="The first day asked about.")] = None,
    to: Annotated[date | None, Parameter(name="--to", help="The last day asked about.")] = None,
    format: AnswerFormat = "table",
    timeout_seconds: Annotated[float, Parameter(help="When a query is stopped.")] = 60,
    memory: Annotated[str, Parameter(help="How much memory a query may take.")] = "2GB",
    workspace: Workspace = DEFAULT_WORKSPACE,
) -> None:
    """Ask a ready question, or ask the published tables in SQL; without words it lists the ready questions.

    Args:
        words: such as `customer 00107`, `left-on 2026-03-02`, or "select count(*) from events".
        from_: the first day.
        to: the last day.
        format: how the answer is given.
        timeout_seconds: when a query is stopped.
        memory: how much memory a query may take.
        workspace: the creditor's folder.
    """
    from tasks.audit.known_names import require_known
    from tasks.audit.questions import ask, is_question, list_questions
    from tasks.present import print_frame
    from tasks.published_tables import query_published
    from tasks.store.published import Limits
    from tasks.workspace import open_workspace

    if not words:
        headings = {"question": "relance audit query ...", "asks": "answers"}
        print_frame(
            list_questions(), "table" if format in ("xlsx", "html") else format, "Ready questions", headings
        )
        return
    opened, limits = open_workspace(workspace), Limits(seconds=timeout_seconds, memory=memory)
    if is_question(words):
        answer = ask(opened, words, from_, to, limits)
        if answer.frame.is_empty():
            require_known(opened, answer.parameters)
        _hand_over(opened, answer.frame, answer.columns, answer.title, answer.parameters, format)
    else:
        frame = query_published(opened, words[0], limits=limits)
        _hand_over(opened, frame, {}, "Answer of a query", {"SQL": words[0]}, format)


def dossier(customer: str, /, *, workspace: Workspace = DEFAULT_WORKSPACE) -> None:
    """Write one page with everything about a customer to standard output: for an expert, a court.

    Args:
        customer: its number.
        workspace: the creditor's folder.
    """
    from tasks.audit.dossier import write_dossier
    from tasks.workspace import open_workspace

    sys.stdout.write(write_dossier(open_workspace(workspace), customer))


def erase(
    *,
    customer: Annotated[str, Parameter(name=["--customer", "--customer-id"], help="Whose data is erased.")],
    by: Annotated[str, Parameter(help="Who decides it.")],
    why: Annotated[str, Parameter(help="The reason, for the log: neither name nor address.")],
    as_of: AsOf = None,
    workspace: Workspace = DEFAULT_WORKSPACE,
) -> None:
    """Erase the personal data of a customer who owes nothing; its number, amounts, dates and the log stay."""
    from flows.erasure import erase as flow

    print(flow(customer_id=customer, by=by, why=why, workspace=workspace, as_of=as_of))


def retain(*, as_of: AsOf = None, workspace: Workspace = DEFAULT_WORKSPACE) -> None:
    """Erase what is past the periods of `retention` in creditor.yaml."""
    from flows.erasure import retain as flow

    print(flow(workspace=workspace, as_of=as_of))


def _hand_over(
    workspace: "OpenedWorkspace",
    frame: "pl.DataFrame",
    columns: "Mapping[str, str]",
    title: str,
    about: "Mapping[str, str]",
    form: str,
) -> None:
    """Print an answer, or write it as a workbook or a page to standard output."""
    from policies.money import with_plain_amounts
    from tasks.present import print_frame

    if form == "xlsx":
        from tasks.audit.answers import read_seal, to_workbook

        sys.stdout.buffer.write(to_workbook(frame, title, about, read_seal(workspace)))
    elif form == "html":
        from tasks.audit.answers import to_page

        sys.stdout.write(to_page(workspace, frame, columns, title, about))
    else:
        plain = with_plain_amounts(frame) if columns and "currency" in frame.columns else frame
        shown = {"table": _with_short_hashes(plain), "parquet": frame}.get(form, plain)
        print_frame(shown, form, title if columns else "", columns or None)


def _with_short_hashes(frame: "pl.DataFrame") -> "pl.DataFrame":
    """Return the frame with hashes cut to what a terminal shows; files hold them whole."""
    import polars.selectors as cs

    return frame.with_columns((cs.ends_with("_hash", "_sha256") & cs.string()).str.head(12))
