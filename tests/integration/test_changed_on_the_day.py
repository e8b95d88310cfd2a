"""What is paid or disputed on the day of a batch, before it leaves, does not leave any more."""

from pathlib import Path

from tests.waiting_company import DAY, NEXT_DAY, NOTICES, company, drop, events, relance, statuses

AUTOMATIC = f"{DAY}-automatic"


def test_what_was_paid_or_disputed_between_the_run_and_a_release_of_the_same_day_stays(
    tmp_path: Path,
) -> None:
    workspace = company(tmp_path / "acme", {"C1": "50.00", "C2": "60.00", "C3": "70.00"})
    assert relance(workspace, "stop", "--by", "Chef", "--why", "bank account").returncode == 0
    assert relance(workspace, "run", "--as-of", DAY).returncode == 5
    assert set(statuses(workspace, AUTOMATIC).values()) == {"composed"}

    dispute = ["--customer", "C1", "--invoice", "F-C1", "--as-of", DAY]
    assert relance(workspace, "record", "dispute", *dispute).returncode == 0
    head = "payment_id,customer_id,payment_date,currency,amount,invoice_number"
    drop(workspace, "payments.csv", [head, f"P1,C2,{DAY},EUR,60.00,F-C2"])
    assert relance(workspace, "intake", "--as-of", DAY).returncode == 0
    assert relance(workspace, "start", "--by", "Chef").returncode == 0
    assert relance(workspace, "release", "--as-of", DAY).returncode == 0

    assert statuses(workspace, AUTOMATIC) == {"C1": "withdrawn", "C2": "withdrawn", "C3": "dispatched"}
    assert {one["customer_id"]: one["why"] for one in events(workspace, "action_withdrawn")} == {
        "C1": "invoice F-C1 is held: disputed",
        "C2": "invoice F-C2 is no longer open",
    }


def test_cash_on_account_and_a_later_due_date_take_a_message_out_of_an_approved_batch(tmp_path: Path) -> None:
    workspace = company(tmp_path / "acme", {"C1": "1200.00", "C2": "800.00", "C3": "500.00"})
    relance(workspace, "run", "--as-of", DAY)
    assert relance(workspace, "batches", "approve", NOTICES, "--by", "Claire", "--as-of", DAY).returncode == 0
    head = "payment_id,customer_id,payment_date,currency,amount"
    drop(workspace, "payments.csv", [head, f"P1,C1,{NEXT_DAY},EUR,1200.00", f"P2,C3,{NEXT_DAY},EUR,499.00"])
    head = "customer_id,customer_name,invoice_number,invoice_date,due_date,currency,amount"
    drop(workspace, "invoices-again.csv", [head, "C2,Client C2 SARL,F-C2,2026-01-05,2026-06-04,EUR,800.00"])
    assert relance(workspace, "intake", "--as-of", NEXT_DAY).returncode == 0
    assert relance(workspace, "release", "--as-of", NEXT_DAY).returncode == 0
    assert statuses(workspace) == {"C1": "withdrawn", "C2": "withdrawn", "C3": "dispatched"}
    assert {one["customer_id"]: one["why"] for one in events(workspace, "action_withdrawn")} == {
        "C1": "unapplied cash covers invoice F-C1 and all else that is overdue",
        "C2": "the due date of invoice F-C2 has changed",
    }
