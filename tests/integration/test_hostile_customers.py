"""What a customer's data hold never stops the day of the others."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from policies.errors import CreditorInvalidError
from tasks.documents.batch_folder import write_documents
from tasks.rules import read_rules
from tasks.workspace import initialise
from tests.golden.sample_messages import message
from tests.integration.console import relance

DAY = "2026-03-02"
POLICY = """\
policy: hostile
description: One step of every channel.
segments: [{segment: everyone, ladder: standard}]
ladder_mode: most_severe
ladders:
  standard:
    - {step: reminder_1, after_due_days: 1, channel: email}
    - {step: reminder_2, after_due_days: 30, channel: letter}
    - {step: call, after_due_days: 50, channel: call}
    - {step: formal_notice, after_due_days: 70, channel: registered_letter}
"""
HOSTILE = {
    "controls": "A\x01\x07\x1b[31m\u202e\u2028B",
    "lines": "A\nB\r\nBcc: x@y.example",
    "long": "x" * 10_000,
    "long_words": "mot " * 2_500,
    "markup": "<b>{{ total }} #let x = $ \\ * _ `",
    "symbols": "\U0001f600\ufffeｱ",
    "formula": "=cmd|' /C calc'!A0",
}
COLUMNS = ("customer_name", "contact_name", "address_line_1", "address_line_2", "city", "postcode", "phone")
PLAIN = {
    "customer_name": "Plain", "contact_name": "Ann", "email": "a@x.example", "country": "FR", "language": "fr",
    "address_line_1": "1 rue A", "address_line_2": "", "postcode": "75001", "city": "Paris", "phone": "+33 1",
}  # fmt: skip
UNUSABLE = ["not an email", "a@x", "a..b@x.example", ".a@x.example", "a@x.example\nBcc: b@y.example"]


def as_csv(rows: list[dict[str, str]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def company(folder: Path, customers: dict[str, dict[str, str]], due: dict[str, str]) -> Path:
    """A workspace where every customer owes one invoice."""
    assert relance("init", str(folder)).returncode == 0
    for file in (folder / "inbox").glob("*.csv"):
        file.unlink()
    (folder / "policies" / "escalation").mkdir(parents=True, exist_ok=True)
    (folder / "policies" / "escalation" / "hostile.yaml").write_text(POLICY)
    creditor = (folder / "creditor.yaml").read_text()
    lines = [line for line in creditor.splitlines() if not line.startswith("policy:")]
    (folder / "creditor.yaml").write_text("\n".join([*lines, "policy: hostile", ""]))
    rows = [{"customer_id": name, **PLAIN, **customer} for name, customer in customers.items()]
    invoices = [
        {
            "customer_id": name, "customer_name": "x", "invoice_number": f"F-{name}", "invoice_date": "2025-10-01",
            "due_date": due[name], "currency": "EUR", "amount": "100.00",
        }
        for name in customers
    ]  # fmt: skip
    (folder / "inbox" / "customers.csv").write_text(as_csv(rows), newline="")
    (folder / "inbox" / "invoices.csv").write_text(as_csv(invoices), newline="")
    return folder


def hostile_customers() -> Iterator[tuple[str, dict[str, str], str]]:
    dues = {"e": "2026-02-10", "l": "2026-01-20", "c": "2026-01-01", "r": "2025-12-01"}
    for kind, text in HOSTILE.items():
        for channel, due in dues.items():
            yield f"{kind}-{channel}", dict.fromkeys(COLUMNS, text), due


def test_an_unusable_address_holds_its_customer_and_nobody_else(tmp_path: Path) -> None:
    customers = {f"B{n}": {"email": address} for n, address in enumerate(UNUSABLE)}
    everyone = {"A1": {}, **customers, "C1": {"email": "c@société.example"}}
    folder = company(tmp_path / "company", everyone, dict.fromkeys(everyone, "2026-02-10"))
    ran = relance("run", "--as-of", DAY, "--workspace", str(folder))
    assert ran.returncode == 0, ran.stderr
    assert "no usable e-mail address: customer B0, B1, B2 and 2 more" in " ".join(ran.stdout.split())
    assert sorted(path.name[:2] for path in folder.glob("outbox/*/emails/*.eml")) == ["A1", "C1"]
    done = relance("decisions", "--as-of", DAY, "--format", "csv", "--workspace", str(folder))
    held = {row["customer_id"]: row for row in csv.DictReader(io.StringIO(done.stdout)) if row["reason"]}
    assert {row["reason"] for row in held.values()} == {"missing_contact"}
    assert held["B0"]["sentence"] == "The customer has no usable e-mail address ('not an email')."
    assert sorted(held) == sorted(customers)


def test_no_value_of_a_customer_stops_the_day(tmp_path: Path) -> None:
    found = list(hostile_customers())
    customers = {name: customer for name, customer, _ in found} | {"plain": {}}
    due = {name: due for name, _, due in found} | {"plain": "2026-02-10"}
    folder = company(tmp_path / "company", customers, due)
    ran = relance("run", "--as-of", DAY, "--workspace", str(folder))
    assert ran.returncode == 0, ran.stderr
    mails = {path.name.partition("-FR")[0] for path in folder.glob("outbox/*/emails/*.eml")}
    assert len(mails) == len(HOSTILE) + 1
    assert len(list(folder.glob("outbox/*/letters/*.pdf"))) == 2 * len(HOSTILE)


def test_the_table_of_decisions_names_the_channel_within_100_columns(tmp_path: Path) -> None:
    due = {"C1": "2026-02-10", "C2": "2026-01-20", "C3": "2026-01-01", "C4": "2025-12-01"}
    folder = company(tmp_path / "company", {name: {} for name in due}, due)
    assert relance("intake", "--as-of", DAY, "--workspace", str(folder)).returncode == 0
    told = relance("decisions", "--as-of", DAY, "--workspace", str(folder)).stdout
    assert all(len(line) <= 100 for line in told.splitlines())
    for said in ("-> reminder_1 (email)", "-> reminder_2 (letter)", "-> call (call)"):
        assert said in told
    assert "-> formal_notice" in told
    assert "(registered_letter)" in told


def test_a_batch_that_cannot_be_made_leaves_nothing_behind(tmp_path: Path) -> None:
    workspace = initialise(tmp_path / "company")
    placed = message("placement", "agency").model_copy(update={"agency": "nobody", "message_id": "b" * 32})
    (workspace.outbox / "other").mkdir(parents=True)
    (workspace.outbox / "other" / "kept.txt").touch()
    with pytest.raises(CreditorInvalidError, match="'nobody'"):
        write_documents(workspace, read_rules(workspace), "a-batch", [message("reminder_1", "email"), placed])
    assert not (workspace.outbox / "a-batch").exists()
    assert {path.name for path in workspace.outbox.rglob("*") if path.is_file()} == {"kept.txt"}
