"""Canonical texts as the typed frames of `policies.model`, with everything wrong in them gathered.

What a blank means, which sign an amount has and which rows repeat a key are said here, once for all formats.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import polars as pl
import polars.selectors as cs

from policies.agency_reports import reported_events
from policies.model import (
    ACTIONS,
    CUSTOMER_COLUMNS,
    CUSTOMERS,
    EVENTS,
    INVOICES,
    MONEY,
    PAYMENTS,
    TRACKING,
    DocumentType,
)
from policies.money import currency_digits
from policies.source_fields import FIELDS, KEYS, ROW_ATTRIBUTES, Field, Record, Shape, required_columns
from policies.sources import Declaration, Sign
from tasks.formats.event_rows import SAID, event_checks, event_ids, report_checks, tracking_checks
from tasks.formats.mapping import PAYMENT_PREFIX, Texts
from tasks.formats.problems import LINE, Check, Problems
from tasks.formats.values import Notation, read_amount, read_date, read_value

_ONE = "1"
_WRONG = "wrong."
_CREDIT_NOTE = str(DocumentType.CREDIT_NOTE)


def build_records(
    texts: Texts, declaration: Declaration, balance_date: date, problems: Problems
) -> dict[str, pl.DataFrame]:
    """Return the frames that the rows of a file make, exactly in the schemas of `policies.model`."""
    values = _typed(texts, declaration.record, problems)
    match declaration.record:
        case Record.INVOICES:
            return _invoices(texts, values, declaration, balance_date, problems)
        case Record.PAYMENTS:
            return {"payments": _payments(texts, values, problems)}
        case Record.CUSTOMERS:
            _check_keys(values, Record.CUSTOMERS, texts, problems)
            return {"customers": _customers(texts, values)}
        case Record.EVENTS:
            return {"events": _events(texts, values, problems)}
        case Record.TRACKING | Record.AGENCY_REPORT:
            return _returns(texts, values, declaration.record, problems)
        case Record.ACTIONS:
            actions = values.with_columns(pl.col("installment").fill_null(_ONE))
            _check_keys(actions, Record.ACTIONS, texts, problems)
            return {"actions": _in_schema(actions, ACTIONS)}


def _typed(texts: Texts, record: Record, problems: Problems) -> pl.DataFrame:
    currency = pl.col("currency").str.to_uppercase() if "currency" in texts.stated else None
    digits = _digits(texts)
    columns, checks = [], []
    for field in FIELDS[record]:
        if field.name not in texts.stated:
            continue
        if field.filled:
            checks.append(_blank_check(field, texts.notation))
        value, wrong = read_value(field, texts.notation, digits, currency)
        columns.append(value.alias(field.name))
        checks += wrong
    # One pass reads the values and judges them; the texts stay beside them for what is wrong.
    masks = [check.is_wrong.alias(f"{_WRONG}{i}") for i, check in enumerate(checks)]
    read = texts.frame.select(*columns, *masks)
    judged = texts.frame.hstack(read.select(cs.starts_with(_WRONG)))
    judging = [replace(check, is_wrong=pl.col(f"{_WRONG}{i}")) for i, check in enumerate(checks)]
    problems.check(judged, judging)
    typed = texts.frame.with_columns(read.select(~cs.starts_with(_WRONG)).get_columns())
    typeless = {Shape.DATE, Shape.AMOUNT}
    absent = [f for f in FIELDS[record] if f.name not in texts.stated and f.shape in typeless]
    dtypes = {f.name: pl.Date if f.shape is Shape.DATE else MONEY for f in absent}
    return typed.with_columns(pl.col(name).cast(dtype) for name, dtype in dtypes.items())


def _digits(texts: Texts) -> list[int]:
    if "currency" not in texts.stated:
        return [3]
    codes = texts.frame["currency"].unique().drop_nulls().str.to_uppercase().to_list()
    return sorted({currency_digits(code) for code in codes}) or [2]


def _blank_check(field: Field, notation: Notation) -> Check:
    return Check(
        pl.col(field.name).is_null(),
        notation.shown(field.name),
        pl.lit(""),
        f"{field.name} is blank",
        "Fill it in every row.",
    )


def _invoices(
    texts: Texts, values: pl.DataFrame, declaration: Declaration, balance_date: date, problems: Problems
) -> dict[str, pl.DataFrame]:
    rows = values.with_columns(
        pl.col("installment").fill_null(_ONE),
        _document_type(declaration).alias("document_type"),
        pl.col("credited_invoice_number"),
    )
    problems.check(_beside_its_texts(rows, texts), _sign_checks(texts))
    _check_keys(rows, Record.INVOICES, texts, problems)
    rows = rows.with_columns(
        _due_date(declaration).alias("due_date"),
        _is_due_date_assumed(declaration).alias("due_date_assumed"),
        amount=_signed(pl.col("amount")),
        amount_open=_signed(_amount_open()),
        is_opening=pl.lit(value=False),
    ).with_columns(
        balance_date=pl.when(pl.col("amount_open").is_not_null()).then(
            pl.col("as_of").fill_null(balance_date)
        )
    )
    records = {"invoices": _in_schema(rows, INVOICES)}
    if any(field.name in texts.stated for field in ROW_ATTRIBUTES):
        records["customers"] = _customers_of_rows(texts, rows)
    if declaration.payments is not None:
        records["payments"] = _payments_of_rows(texts, rows, problems)
    return records


def _beside_its_texts(values: pl.DataFrame, texts: Texts) -> pl.DataFrame:
    return values.hstack(texts.frame.select(pl.all().name.prefix(SAID)))


def _document_type(declaration: Declaration) -> pl.Expr:
    stated = pl.col("document_type").fill_null(str(DocumentType.INVOICE))
    if declaration.sign is Sign.AS_STATED:
        return stated
    return pl.when(pl.col("amount") < 0).then(pl.lit(_CREDIT_NOTE)).otherwise(stated)


def _sign_checks(texts: Texts) -> list[Check]:
    is_invoice = pl.col("document_type") == str(DocumentType.INVOICE)
    shown = texts.notation.shown
    checks = [
        Check(
            is_invoice & (pl.col("amount") < 0),
            shown("amount"),
            pl.col(SAID + "amount"),
            "an invoice with a negative amount",
            "If it is a credit note, say so: document_type credit_note (or `sign` in the source declaration).",
        )
    ]
    if {"amount_open", "amount_paid"} <= texts.stated:
        checks.append(
            Check(
                pl.col("amount_open").is_not_null() & pl.col("amount_paid").is_not_null(),
                shown("amount_paid"),
                pl.col(SAID + "amount_paid"),
                "both amount_open and amount_paid are given",
                "Give one of them; the other follows from it.",
            )
        )
    return checks


def _signed(amount: pl.Expr) -> pl.Expr:
    return pl.when(pl.col("document_type") == _CREDIT_NOTE).then(-amount.abs()).otherwise(amount)


def _amount_open() -> pl.Expr:
    paid = (pl.col("amount").abs() - pl.col("amount_paid").abs()).cast(MONEY)
    plain = (pl.col("amount") - pl.col("amount_paid")).cast(MONEY)
    left = pl.when(pl.col("document_type") == _CREDIT_NOTE).then(paid).otherwise(plain)
    return pl.coalesce(pl.col("amount_open"), left)


def _due_date(declaration: Declaration) -> pl.Expr:
    if declaration.terms_days is None:
        return pl.col("due_date")
    return pl.col("due_date").fill_null(pl.col("invoice_date").dt.offset_by(f"{declaration.terms_days}d"))


def _is_due_date_assumed(declaration: Declaration) -> pl.Expr:
    return pl.col("due_date").is_null() & pl.lit(declaration.terms_days is not None)


def _customers_of_rows(texts: Texts, rows: pl.DataFrame) -> pl.DataFrame:
    """The last row that states an attribute of a customer wins; a blank states nothing here."""
    stated = [field.name for field in ROW_ATTRIBUTES if field.name in texts.stated]
    lasting = rows.group_by("customer_id", maintain_order=True).agg(
        *(pl.col(name).drop_nulls().last() for name in stated), pl.col(LINE).last()
    )
    return _in_schema(lasting, CUSTOMERS, skip=set(CUSTOMER_COLUMNS) - set(stated))


def _customers(texts: Texts, values: pl.DataFrame) -> pl.DataFrame:
    stated = [name for name in CUSTOMER_COLUMNS if name in texts.stated]
    return _in_schema(values.with_columns(pl.col(stated).fill_null("")), CUSTOMERS)


def _payments(texts: Texts, values: pl.DataFrame, problems: Problems) -> pl.DataFrame:
    _check_keys(values, Record.PAYMENTS, texts, problems)
    return _in_schema(values.with_columns(is_opening=pl.lit(value=False)), PAYMENTS)


def _payments_of_rows(texts: Texts, rows: pl.DataFrame, problems: Problems) -> pl.DataFrame:
    columns = {name: f"{PAYMENT_PREFIX}{name}" for name in ("date", "amount", "id")}
    if columns["date"] not in texts.stated:
        return PAYMENTS.to_frame()
    paid = rows.filter(pl.col(columns["date"]).is_not_null())
    day, checks = read_date(columns["date"], texts.notation)
    amount = pl.col("amount")
    if columns["amount"] in texts.stated:
        read, wrong = read_amount(columns["amount"], texts.notation, _digits(texts), pl.col("currency"))
        checks += wrong
        amount = _signed(pl.coalesce(read, amount.abs()))
    problems.check(paid, checks)
    own_id = pl.concat_str("customer_id", "invoice_number", "installment", separator="/")
    payment_id = pl.coalesce(columns["id"], own_id) if columns["id"] in texts.stated else own_id
    payments = paid.with_columns(
        payment_id=payment_id,
        payment_date=day,
        amount=amount,
        reference=pl.lit(None, dtype=pl.String),
        is_opening=pl.lit(value=False),
    )
    return _in_schema(payments, PAYMENTS)


def _events(texts: Texts, values: pl.DataFrame, problems: Problems) -> pl.DataFrame:
    problems.check(_beside_its_texts(values, texts), event_checks(texts.notation))
    events = _in_schema(values, EVENTS)
    named = events.with_columns(pl.Series("event_id", event_ids(events), dtype=pl.String))
    _check_keys(named, Record.EVENTS, texts, problems)
    return named


def _returns(
    texts: Texts, values: pl.DataFrame, record: Record, problems: Problems
) -> dict[str, pl.DataFrame]:
    """Return what came back: reports of agencies as events, statuses of letters for the store to tie to items."""
    if record is Record.TRACKING:
        _check_keys(values, record, texts, problems)
        problems.check(values, tracking_checks(texts.notation))
        return {"tracking": _in_schema(values, TRACKING)}
    problems.check(values, report_checks(texts.notation))
    reported = _in_schema(reported_events(values), EVENTS)
    return {"events": reported.with_columns(pl.Series("event_id", event_ids(reported), dtype=pl.String))}


def _check_keys(frame: pl.DataFrame, record: Record, texts: Texts, problems: Problems) -> None:
    if not set(KEYS[record]) & set(required_columns(record)) <= texts.stated:
        return  # the missing column is told, and without it rows look alike that are not
    key = list(KEYS[record])
    text = pl.concat_str(pl.col(key).cast(pl.String).fill_null(""), separator="\x1f")
    if frame.select(text.hash().n_unique()).item() == frame.height:
        return
    filled = frame.filter(pl.all_horizontal(pl.col(key[0]).is_not_null()))
    repeated = filled.filter(pl.struct(key).is_duplicated()).with_columns(
        pl.col(LINE).min().over(key).alias("first")
    )
    words = ", ".join(texts.notation.shown(name) for name in key if name in texts.stated)
    for again in (
        repeated.filter(pl.col(LINE) != pl.col("first")).sort(LINE).head(2_000).iter_rows(named=True)
    ):
        problems.add(
            f"the same {words} as line {again['first']}",
            "Remove one of the two, or tell them apart.",
            line=again[LINE],
            column=texts.notation.shown(key[1] if len(key) > 1 and record is not Record.PAYMENTS else key[0]),
            value=", ".join(str(again[name]) for name in key if again[name] is not None),
        )


def _in_schema(frame: pl.DataFrame, schema: pl.Schema, skip: Sequence[str] | set[str] = ()) -> pl.DataFrame:
    have = [name for name in schema if name in frame.columns and name not in skip]
    lacking = [name for name in schema if name not in have]
    filled = frame.select(have).with_columns(pl.lit(None).alias(name) for name in lacking)
    return filled.select(pl.col(name).cast(dtype) for name, dtype in schema.items())
