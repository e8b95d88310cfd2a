"""Refusals of us, reports of spam and bounces of our own copy say nothing against a customer's address."""

import json
from pathlib import Path

import pytest

from tasks.workspace import Workspace
from tests.integration.returning_company import (
    BACK,
    DAY,
    NEXT,
    act,
    bounce,
    complaint,
    decisions,
    events,
    make_company,
    messages,
)


@pytest.fixture
def company(tmp_path: Path) -> Workspace:
    workspace = make_company(tmp_path / "company")
    act(workspace, "run", DAY)
    return workspace


def drop(workspace: Workspace, name: str, content: bytes) -> None:
    workspace.returned.mkdir(exist_ok=True)
    (workspace.returned / f"{name}.eml").write_bytes(content)


def test_a_refusal_of_us_never_marks_the_address_and_is_told_once_for_all(company: Workspace) -> None:
    company.creditor_path.write_text(
        company.creditor_path.read_text(encoding="utf-8") + "\nreturns: {soft_bounces: 1}\n", encoding="utf-8"
    )
    number = messages(company)
    for name, status in (("ana", "5.7.26"), ("ben", "5.1.8")):
        drop(company, name, bounce(number[name], f"{name}@client.example", status))
    told = " ".join(act(company, "follow-up", BACK, expect=5).split())
    assert "back refused by receiver 2" in told
    assert "a limit or their policy: 2 (customer ana" in told
    assert events(company).filter(kind="event_recorded").is_empty()
    assert decisions(company, NEXT)["ana"] == ("reminder_2", "email", "")


def test_a_report_of_spam_pauses_the_customer_and_is_told(company: Workspace) -> None:
    number = messages(company)["cleo"]
    drop(company, "complaint", complaint(number))
    told = " ".join(act(company, "follow-up", BACK, expect=5).split())
    assert "back complained 1" in told
    assert "customer cleo reported a message as spam" in told
    assert decisions(company, NEXT)["cleo"][2] == "manual_hold"


def test_a_bounce_of_the_archive_copy_leaves_the_customer_alone(company: Workspace) -> None:
    text = company.creditor_path.read_text(encoding="utf-8")
    smtp = "\nsmtp: {host: 127.0.0.1, security: none, copy_to: archive@ateliers-cormier.example}\n"
    company.creditor_path.write_text(text + smtp, encoding="utf-8")
    drop(company, "copy", bounce(messages(company)["ana"], "archive@ateliers-cormier.example"))
    told = " ".join(act(company, "follow-up", BACK, expect=5).split())
    assert "back own copy 1" in told
    assert "nothing is said against the address of customer ana. See to our own mailbox" in told
    (logged,) = map(json.loads, events(company).filter(kind="mail_returned")["payload"])
    assert (logged["kind"], logged["rule"]) == ("unrelated", "own_copy")
    assert decisions(company, NEXT)["ana"] == ("reminder_2", "email", "")
