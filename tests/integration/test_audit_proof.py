"""`audit show`: the document and the address that an action left with are proved, or said not to be."""

import hashlib
import shutil
from pathlib import Path

import pytest

from policies.errors import AuditBrokenError, WrongUseError
from tasks.audit.proof import find_action, prove_address, prove_document, read_document, tell_action
from tasks.published_tables import read_table
from tasks.workspace import Workspace
from tests.integration.audited_company import CALLED, FIRST, MAILED, NOTIFIED, PEOPLE, PLACED
from tests.integration.console import relance
from tests.torture.company import copy_workspace


def action_of(workspace: Workspace, customer: str) -> str:
    return str(read_table(workspace, "actions").filter(customer_id=customer)["action_id"][0])


@pytest.fixture
def workspace(audited: Workspace, tmp_path: Path) -> Workspace:
    return copy_workspace(audited, tmp_path / "workspace")


@pytest.mark.parametrize("customer", [MAILED, CALLED, PLACED])
def test_the_document_that_left_is_given_back_and_proved(audited: Workspace, customer: str) -> None:
    action = find_action(audited, action_of(audited, customer))
    content, proof = read_document(audited, action)
    assert proof.holds
    assert proof.is_whole
    left = next(event for event in action.events if event["kind"] == "action_dispatched")
    assert hashlib.sha256(content).hexdigest() == left["payload"]["document_sha256"]
    assert f"Event {left['sequence']} holds its hash when it left" in proof.sentence


def test_a_call_and_a_placement_share_their_document_with_others(audited: Workspace) -> None:
    actions = read_table(audited, "actions").filter(batch_id=f"{FIRST}-automatic", channel="call")
    assert actions["customer_id"].n_unique() > 1
    documents = {read_document(audited, find_action(audited, number))[0] for number in actions["action_id"]}
    assert len(documents) == 1


def test_a_document_that_was_rejected_is_proved_as_it_was_composed(audited: Workspace) -> None:
    proof = prove_document(audited, find_action(audited, action_of(audited, NOTIFIED)))
    assert proof.holds
    assert "was composed" in proof.sentence


def test_a_changed_document_is_not_given_back(workspace: Workspace) -> None:
    action = find_action(workspace, action_of(workspace, MAILED))
    path = workspace.root / action.row["document_path"]
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(AuditBrokenError, match="is NOT the one that left"):
        read_document(workspace, action)
    shown = relance("audit", "show", action.action_id[:10], "--workspace", str(workspace.root))
    assert shown.returncode == 6
    assert "is NOT the one that left" in shown.stdout
    given = relance("audit", "show", action.action_id, "--document", "--workspace", str(workspace.root))
    assert (given.returncode, given.stdout) == (6, "")


def test_a_document_composed_anew_after_it_left_is_found_by_the_hash_of_its_leaving(
    workspace: Workspace,
) -> None:
    """What was put in its place has a hash of its own: only the one at dispatch counts."""
    mailed, other = (find_action(workspace, action_of(workspace, customer)) for customer in (MAILED, "00101"))
    shutil.copy(workspace.root / other.row["document_path"], workspace.root / mailed.row["document_path"])
    assert not prove_document(workspace, mailed).holds


def test_a_moved_document_is_found_by_its_hash_and_not_taken_for_proof(workspace: Workspace) -> None:
    action = find_action(workspace, action_of(workspace, MAILED))
    path = workspace.root / action.row["document_path"]
    path.rename(path.with_name("elsewhere.eml"))
    with pytest.raises(AuditBrokenError, match=r"is gone, and no event says so.*elsewhere\.eml: put it back"):
        read_document(workspace, action)
    path.with_name("elsewhere.eml").unlink()
    with pytest.raises(AuditBrokenError, match="from a backup"):
        read_document(workspace, action)


def test_the_address_used_is_proved_and_another_is_not(audited: Workspace) -> None:
    action = find_action(audited, action_of(audited, MAILED))
    _, email, _ = PEOPLE[MAILED]
    assert prove_address(audited, action, email).startswith("Yes")
    assert prove_address(audited, action, f" {email} ").startswith("Yes")
    assert prove_address(audited, action, "someone@else.example").startswith("No")
    called = find_action(audited, action_of(audited, CALLED))
    assert prove_address(audited, called, "+33 2 40 11 22 33").startswith("Yes")
    placed = find_action(audited, action_of(audited, PLACED))
    assert prove_address(audited, placed, "4 rue Yarrowby, 44000 Nantes, FR").startswith("Yes")
    shown = relance("audit", "show", action.action_id, "--address", email, "--workspace", str(audited.root))
    assert (shown.returncode, shown.stdout[:3]) == (0, "Yes")


def test_the_beginning_of_a_number_must_name_one_action(audited: Workspace) -> None:
    number = action_of(audited, MAILED)
    assert find_action(audited, number[:12]).action_id == number
    with pytest.raises(WrongUseError, match="no action has a number"):
        find_action(audited, "zzz")
    with pytest.raises(WrongUseError, match="no action has a number"):
        find_action(audited, " ")
    numbers = read_table(audited, "actions")["action_id"]
    first = next(one[0] for one in numbers if numbers.str.starts_with(one[0]).sum() > 1)
    with pytest.raises(WrongUseError, match="Give more of it"):
        find_action(audited, first)


def test_an_action_is_told_with_the_digits_of_its_currency(audited: Workspace) -> None:
    lines = tell_action(find_action(audited, action_of(audited, MAILED)))
    assert lines[1].startswith("Demanded 900.00 EUR by email; it is dispatched since 2026-03-02")


def test_who_proves_many_documents_has_the_outbox_hashed_once(workspace: Workspace) -> None:
    outbox: dict[str, Path] = {}
    mailed, other = (find_action(workspace, action_of(workspace, customer)) for customer in (MAILED, "00101"))
    for action in (mailed, other):
        path = workspace.root / action.row["document_path"]
        path.rename(path.with_name(f"{action.action_id}.eml"))
    assert f"lies at outbox/{FIRST}-automatic" in prove_document(workspace, mailed, None, outbox).sentence
    shutil.rmtree(workspace.outbox)
    assert f"{other.action_id}.eml: put it back" in prove_document(workspace, other, None, outbox).sentence
