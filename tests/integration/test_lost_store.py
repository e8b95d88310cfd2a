"""A workspace whose store is gone while its published copy tells of what was done: nothing is begun anew unasked."""

from pathlib import Path

import pytest

from tests.waiting_company import DAY, NEXT_DAY, NOTICES, company, drop, relance


@pytest.mark.parametrize(
    "words", [["run"], ["release"], ["intake"], ["batches", "approve", NOTICES, "--by", "Claire"]]
)
def test_a_lost_store_beside_a_published_copy_is_refused_before_anything_is_made(
    tmp_path: Path, words: list[str]
) -> None:
    workspace = company(tmp_path / "acme", {"C4": "50.00"})
    assert relance(workspace, "run", "--as-of", DAY).returncode == 0
    workspace.store_path.unlink()
    drop(workspace, f"payments-{NEXT_DAY}.csv", ["payment_id,customer_id,payment_date,currency,amount"])
    before = {path for path in workspace.root.rglob("*") if path.is_file()}

    refused = relance(workspace, *words, "--as-of", NEXT_DAY)

    assert refused.returncode == 6, refused.text
    assert "relance.duckdb is missing, and published/ tells of run" in refused.text
    assert "`relance restore BACKUP NEW --journals" in refused.text
    assert "`relance init NEW`" in refused.text
    assert {path for path in workspace.root.rglob("*") if path.is_file()} == before
