"""`relance report`: lists for credit managers and the ERP. They change nothing; `relance run` publishes the same."""

from datetime import date
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from flows.commands.options import DEFAULT_WORKSPACE, AsOf, Format, Workspace
from flows.commands.reading import look_or_published

if TYPE_CHECKING:
    import polars as pl

    from tasks.findings.look import Look

_CREDIT_HOLD = {
    "customer_id": "customer",
    "action": "action",
    "since": "since",
    "overdue": "overdue",
    "why": "why",
}
_HABITS = {
    "customer_id": "customer",
    "currency": "",
    "what": "what",
    "before": "before",
    "now": "now",
    "why": "why",
}
_WRITE_OFFS = {
    "customer_id": "customer",
    "invoice_number": "invoice",
    "days_past_due": "late",
    "amount_open": "open",
    "expected_recovery_amount": "expected",
    "currency": "",
    "limitation_date": "sue by",
    "reasons": "reasons",
}
_INSOLVENCIES = {
    "customer_id": "customer",
    "open_amount": "open",
    "currency": "",
    "insolvent_since": "since",
    "deadline": "deadline",
    "days_left": "days left",
    "state": "state",
    "declared_on": "declared",
}
_PROVISIONS = {
    "currency": "",
    "segment": "segment",
    "bucket": "bucket",
    "amount": "amount",
    "loss_rate": "rate",
    "provision": "provision",
}

_CHARGES = {
    "customer_id": "customer",
    "invoice_number": "invoice",
    "installment": "part",
    "late_interest": "interest",
    "recovery_charge": "fixed",
    "fees": "fees",
    "waived": "waived",
    "total": "claimed",
    "currency": "",
    "status": "status",
    "since": "since",
    "basis": "basis",
}


def credit_hold(
    *,
    as_of: AsOf = None,
    everyone: Annotated[
        bool, Parameter(name="--all", negative="", help="Every customer on credit hold, whenever it began.")
    ] = False,
    format: Format = "table",
    workspace: Workspace = DEFAULT_WORKSPACE,
) -> None:
    """Show the customers to block and to unblock since the last run before that day."""

    def make(look: "Look") -> "pl.DataFrame":
        return look.blocked() if everyone else look.credit_hold()

    name = None if everyone else "credit_hold"
    frame, day = look_or_published(workspace, as_of, name, make)
    _print(frame, format, f"On credit hold as of {day}" if everyone else f"Credit hold, {day}", _CREDIT_HOLD)


def habits(*, as_of: AsOf = None, format: Format = "table", workspace: Workspace = DEFAULT_WORKSPACE) -> None:
    """Show the accounts whose risk class or watched habits turned worse since the last run before that day."""
    frame, day = look_or_published(workspace, as_of, "habits", lambda look: look.habits())
    _print(frame, format, f"Habits turned worse, {day}", _HABITS)


def write_offs(
    *, as_of: AsOf = None, format: Format = "table", workspace: Workspace = DEFAULT_WORKSPACE
) -> None:
    """Show the items to propose for a write-off; a person decides and records `write_off`."""
    frame, day = look_or_published(workspace, as_of, "write_offs", lambda look: look.write_offs())
    _print(frame, format, f"Write-offs to propose as of {day}", _WRITE_OFFS)


def insolvencies(
    *, as_of: AsOf = None, format: Format = "table", workspace: Workspace = DEFAULT_WORKSPACE
) -> None:
    """Show the claims on insolvent customers; record `answer --reason claim_declared` once one is declared."""
    frame, day = look_or_published(workspace, as_of, "insolvencies", lambda look: look.insolvencies())
    _print(frame, format, f"Claims in insolvencies as of {day}", _INSOLVENCIES)


def provisions(
    *,
    as_of: AsOf = None,
    from_: Annotated[
        date | None,
        Parameter(name="--from", help="First day of issue of the invoices whose losses are looked at."),
    ] = None,
    to: Annotated[date | None, Parameter(help="Last day of issue of these invoices.")] = None,
    format: Format = "table",
    workspace: Workspace = DEFAULT_WORKSPACE,
) -> None:
    """Show the provision matrix (IFRS 9), by the losses of past invoices or the policy's `loss_rates`."""
    from policies.errors import WrongUseError
    from policies.provisions import Cohort, usual_cohort

    def make(look: "Look") -> "pl.DataFrame":
        usual = usual_cohort(look.as_of)
        named = Cohort(from_ or usual.from_date, to or usual.to_date) if from_ or to else None
        if named and named.to_date < named.from_date:
            raise WrongUseError(f"--to {named.to_date} is before --from {named.from_date}: turn them round.")
        return look.provisions(named)

    name = None if from_ or to else "provisions"
    frame, day = look_or_published(workspace, as_of, name, make)
    _print(frame, format, f"Provisions as of {day}", _PROVISIONS)
    if format == "table" and frame.height:
        _print_totals(frame)


def charges(
    *, as_of: AsOf = None, format: Format = "table", workspace: Workspace = DEFAULT_WORKSPACE
) -> None:
    """Show every charge claimed so far: running, due although the invoice is paid, or waived, and its basis."""
    from policies.charge_list import list_charges
    from policies.charge_list import with_plain_periods as plain
    from tasks.rules import read_law

    def make(look: "Look") -> "pl.DataFrame":
        return list_charges(look.history, look.facts, look.policy, read_law(look.workspace))

    frame, day = look_or_published(workspace, as_of, None, make)
    if format == "csv":
        frame = frame.drop("periods")
    elif format == "json":
        frame = plain(frame)
    unused = {name for name in ("fees", "waived") if not frame[name].sum()}
    if frame.select("customer_id", "invoice_number").n_unique() == frame.height:
        unused.add("installment")
    headings = {name: heading for name, heading in _CHARGES.items() if name not in unused}
    _print(frame, format, f"Charges claimed up to {day}", headings)


def _print_totals(frame: "pl.DataFrame") -> None:
    """Tell the sum by currency, what no rate covers, and where the rates come from."""
    import polars as pl

    from policies.money import with_plain_amounts
    from tasks.present import print_frame, print_lines

    is_specific = pl.col("bucket").str.starts_with("specific_")
    totals = frame.group_by("currency").agg(
        provision=pl.col("provision").sum(),
        without_rate=pl.col("amount").filter(pl.col("provision").is_null() & ~is_specific).sum(),
        judged_one_by_one=pl.col("amount").filter(is_specific).sum(),
    )
    headings = {
        "currency": "",
        "provision": "provision",
        "without_rate": "without a rate",
        "judged_one_by_one": "judged one by one",
    }
    print_frame(with_plain_amounts(totals.sort("currency")), "table", "Total", headings)
    sources = frame.filter(pl.col("provision").is_not_null())["source"].unique().sort()
    print_lines([f"Rates: {source}" for source in sources] or ["No rate is known for any bucket."])


def _print(frame: "pl.DataFrame", form: str, title: str, headings: dict[str, str]) -> None:
    from policies.money import with_plain_amounts
    from tasks.present import print_frame

    has_currency = "currency" in frame.columns
    shown = with_plain_amounts(frame) if form != "parquet" and has_currency else frame
    print_frame(shown, form, title, headings)
