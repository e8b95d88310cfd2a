"""The customers' accounts of a ledger as items and payments that add up to its balance.

A debit is an item, a credit a payment. A letter pairs them only where its group (account, party, letter) sums to
zero; every other credit is unapplied. A ledger has no due dates: the declaration's terms are assumed.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from policies.explanations import counted
from policies.model import CUSTOMERS, INVOICES, MONEY, PAYMENTS, TOTAL
from policies.sources import Declaration
from tasks.formats.problems import LINE

_OPENING_NAMES = "a nouveau|a-nouveau|ouverture|opening"
_GROUP = ("account", "party", "letter")
_DOCUMENT = ("party", "piece", "journal", "entry", "date", "has_due_date")


@dataclass(frozen=True)
class LedgerItems:
    """The frames made of the kept lines, and those lines with what was found about each."""

    lines: pl.DataFrame
    records: dict[str, pl.DataFrame]


def derive_items(lines: pl.DataFrame, declaration: Declaration, fiscal_year: str) -> LedgerItems:
    """Return items, payments and customers of the declared accounts."""
    kept = _kept_lines(lines, declaration)
    debits = _named_documents(kept.filter(pl.col("balance") > 0))
    cash = _named_payments(kept.filter(pl.col("balance") < 0), fiscal_year)
    currency = declaration.constants["currency"]
    terms = 0 if declaration.terms_days is None else declaration.terms_days
    records = {
        "invoices": _invoices(debits, terms, currency),
        "payments": _payments(debits, cash, currency),
        "customers": _customers(kept),
    }
    return LedgerItems(kept, records)


def unreconciled(items: LedgerItems) -> Iterator[tuple[str, Decimal]]:
    """Yield every party whose items and payments don't add up to its ledger balance, and the difference."""
    parts = [
        items.lines.select(party="party", amount=-pl.col("balance").cast(TOTAL)),
        items.records["invoices"].select(party="customer_id", amount=pl.col("amount").cast(TOTAL)),
        items.records["payments"].select(party="customer_id", amount=-pl.col("amount").cast(TOTAL)),
    ]
    sums = pl.concat(parts).group_by("party").agg(pl.col("amount").sum()).filter(pl.col("amount") != 0)
    yield from sums.sort("party").iter_rows()


def ledger_warnings(items: LedgerItems, declaration: Declaration) -> list[str]:
    """Return what finance should know about how the ledger was read."""
    lines = items.lines
    if lines.is_empty():
        return [f"no line on the accounts {', '.join(declaration.accounts)}"]
    assumed = int(items.records["invoices"]["due_date_assumed"].sum())
    terms = counted(declaration.terms_days or 0, "day")
    warnings = [f"{counted(assumed, 'due date')} assumed: a FEC has none; date of the document + {terms}"]
    lettered = lines.filter(pl.col("letter") != "").group_by(_GROUP).agg(pl.col("is_cleared").first())
    partial = lettered.height - int(lettered["is_cleared"].sum())
    if partial:
        warnings.append(
            f"{partial} of {counted(lettered.height, 'letter group')} not summing to zero: these credits are unapplied"
        )
    undated = lines.filter(~pl.col("has_due_date"))
    if undated.height:
        accounts = ", ".join(sorted(undated["account"].unique()))
        warnings.append(
            f"{counted(undated.height, 'line')} on {accounts} (balance {undated['balance'].sum():.2f}) counted "
            "without a due date: nobody is asked for that"
        )
    collective = lines.filter(
        (pl.col("party") == pl.col("account")) & pl.col("account").str.contains("^[0-9]{3}0*$")
    )
    if collective.height:
        accounts = ", ".join(sorted(collective["account"].unique()))
        warnings.append(
            f"{counted(collective.height, 'line')} on the collective account {accounts} without a customer, "
            "listed as one customer of that name"
        )
    return warnings


def _kept_lines(lines: pl.DataFrame, declaration: Declaration) -> pl.DataFrame:
    account = pl.col("comptenum")
    kept = (
        lines.with_columns(is_opening=_is_opening(lines, declaration))
        .filter(_starts_with(account, declaration.accounts) & (pl.col("balance") != 0))
        .select(
            "date",
            "balance",
            "is_opening",
            LINE,
            account=account,
            party=pl.when(pl.col("compauxnum") != "").then("compauxnum").otherwise(account),
            party_name=pl.when(pl.col("compauxlib") != "").then("compauxlib").otherwise("comptelib"),
            journal=pl.col("journalcode"),
            entry=pl.col("ecriturenum"),
            piece=pl.when(pl.col("pieceref").is_in(["", "-"])).then("ecriturenum").otherwise("pieceref"),
            # A document is issued at the latest when it is entered, so that every past balance can be made again.
            issue_date=pl.min_horizontal("date", pl.col("piece_date").fill_null(pl.col("date"))),
            label=pl.col("ecriturelib"),
            letter=pl.col("ecriturelet"),
            has_due_date=~_starts_with(account, declaration.accounts_without_due_date),
        )
    )
    is_cleared = (pl.col("letter") != "") & (pl.col("balance").sum().over(_GROUP) == 0)
    return kept.with_columns(is_cleared=is_cleared).sort(LINE)


def _starts_with(account: pl.Expr, prefixes: tuple[str, ...]) -> pl.Expr:
    return account.str.contains(f"^({'|'.join(prefixes)})") if prefixes else pl.lit(value=False)


def _is_opening(lines: pl.DataFrame, declaration: Declaration) -> pl.Expr:
    """By journal; where no journal is known as opening, the first day's entry that carries the capital."""
    names = lines.select("journalcode", "journallib").unique()
    opening = [
        code
        for code, label in names.iter_rows()
        if code.upper().replace("-", "").replace(" ", "") in declaration.opening_journals
        or _is_opening_name(label)
    ]
    if opening:
        return pl.col("journalcode").is_in(opening)
    entry = ("journalcode", "ecriturenum")
    account = pl.col("comptenum")
    carries_capital = account.str.contains("^10").any().over(entry) & ~account.str.contains(
        "^[67]"
    ).any().over(entry)
    return carries_capital & (pl.col("date") == pl.col("date").min())


def _is_opening_name(label: str) -> bool:
    folded = unicodedata.normalize("NFD", label.lower())
    plain = "".join(letter for letter in folded if not unicodedata.combining(letter))
    return any(name in plain for name in _OPENING_NAMES.split("|"))


def _named_documents(debits: pl.DataFrame) -> pl.DataFrame:
    """Name the document of every debit line: lines of one entry and piece are one; a piece used again is told apart.

    The first entry under a piece keeps its plain number, so that a later extract does not rename it.
    """
    documents = (
        debits.group_by(_DOCUMENT, maintain_order=True)
        .agg(pl.col(LINE).min().alias("first_line"))
        .sort("date", "first_line")
        .with_columns(is_first=pl.int_range(pl.len()).over("party", "piece") == 0)
        .with_columns(
            name=pl.when("is_first").then("piece").otherwise(pl.concat_str("piece", "entry", separator="/"))
        )
        .sort("is_first", "date", "first_line", descending=[True, False, False])
        .with_columns(repeat=pl.int_range(1, pl.len() + 1).over("party", "name"))
        .with_columns(
            invoice_number=pl.when(pl.col("repeat") == 1)
            .then("name")
            .otherwise(pl.format("{}/{}", "name", "repeat"))
        )
    )
    return debits.join(
        documents.select(*_DOCUMENT, "invoice_number"), on=_DOCUMENT, how="left", maintain_order="left"
    )


def _named_payments(cash: pl.DataFrame, fiscal_year: str) -> pl.DataFrame:
    entry = ("journal", "entry", "date")
    count = pl.int_range(1, pl.len() + 1).over(entry)
    # Entry numbers begin again every year.
    return cash.with_columns(
        payment_id=pl.format("{}/{}/{}/{}/{}", pl.lit(fiscal_year), "journal", "entry", "date", count)
    )


def _invoices(debits: pl.DataFrame, terms_days: int, currency: str) -> pl.DataFrame:
    documents = debits.group_by("party", "invoice_number", maintain_order=True).agg(
        pl.col("issue_date").min(),
        pl.col("balance").sum(),
        pl.col("label").first(),
        pl.col("has_due_date").first(),
        pl.col("is_opening").all(),
        pl.col(LINE).min(),
    )
    due = pl.when("has_due_date").then(pl.col("issue_date").dt.offset_by(f"{terms_days}d"))
    columns = {
        "customer_id": pl.col("party"),
        "invoice_number": pl.col("invoice_number"),
        "installment": pl.lit("1"),
        "document_type": pl.lit("invoice"),
        "invoice_date": pl.col("issue_date"),
        "due_date": due,
        "due_date_assumed": pl.col("has_due_date"),
        "currency": pl.lit(currency),
        "amount": pl.col("balance"),
        "description": pl.col("label"),
        "is_opening": pl.col("is_opening"),
        LINE: pl.col(LINE),
    }
    return documents.select(
        columns.get(name, pl.lit(None)).cast(dtype).alias(name) for name, dtype in INVOICES.items()
    )


def _payments(debits: pl.DataFrame, cash: pl.DataFrame, currency: str) -> pl.DataFrame:
    unapplied = cash.filter(~pl.col("is_cleared")).with_columns(
        amount=-pl.col("balance"), invoice_number=pl.lit(None, dtype=pl.String)
    )
    named = _allocate(debits.filter("is_cleared"), cash.filter("is_cleared"))
    rows = pl.concat([unapplied.select(named.columns), named]).sort(LINE, "invoice_number", nulls_last=True)
    columns = {
        "payment_id": pl.col("payment_id"),
        "customer_id": pl.col("party"),
        "payment_date": pl.col("date"),
        "currency": pl.lit(currency),
        "amount": pl.col("amount"),
        "invoice_number": pl.col("invoice_number"),
        "installment": pl.when(pl.col("invoice_number").is_not_null()).then(pl.lit("1")),
        "reference": pl.col("label"),
        "is_opening": pl.col("is_opening"),
        LINE: pl.col(LINE),
    }
    return rows.select(columns[name].cast(dtype).alias(name) for name, dtype in PAYMENTS.items())


def _allocate(debits: pl.DataFrame, cash: pl.DataFrame) -> pl.DataFrame:
    """Return the credits of groups that sum to zero, laid on the group's items, the oldest first.

    Debits and credits of a group are two rulers of one length; every cut of either ends one part of a payment.
    """
    items, cash = _ruler(debits), _ruler(cash)
    cuts = (
        pl.concat([items.select(*_GROUP, "until"), cash.select(*_GROUP, "until")])
        .unique()
        .sort("until")
        .with_columns(amount=pl.col("until") - pl.col("until").shift(1, fill_value=0).over(_GROUP))
    )
    parts = _covering(cuts, items.select(*_GROUP, "until", "invoice_number"))
    parts = _covering(parts, cash.select(*_GROUP, "until", "payment_id", "date", "label", "is_opening", LINE))
    return parts.group_by(
        "party", "payment_id", "date", "label", "is_opening", LINE, "invoice_number", maintain_order=True
    ).agg((pl.col("amount").sum().cast(TOTAL) / 1000).cast(MONEY))


def _covering(cuts: pl.DataFrame, ruler: pl.DataFrame) -> pl.DataFrame:
    # Both are sorted by `until`; Polars cannot check that per group, and warns unless told so.
    return cuts.join_asof(ruler, on="until", by=_GROUP, strategy="forward", check_sortedness=False)


def _ruler(lines: pl.DataFrame) -> pl.DataFrame:
    thousandths = (pl.col("balance").abs() * 1000).cast(pl.Int64)
    return lines.sort("date", LINE).with_columns(until=thousandths.cum_sum().over(_GROUP)).sort("until")


def _customers(lines: pl.DataFrame) -> pl.DataFrame:
    known = lines.group_by("party", maintain_order=True).agg(pl.col("party_name").last(), pl.col(LINE).last())
    columns = {"customer_id": pl.col("party"), "customer_name": pl.col("party_name"), LINE: pl.col(LINE)}
    return known.select(
        columns.get(name, pl.lit(None)).cast(dtype).alias(name) for name, dtype in CUSTOMERS.items()
    )
