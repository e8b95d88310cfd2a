"""A policy is reviewed with all that stands around it, and everything wrong is told beside the rest."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from flows.__main__ import run
from policies.errors import ExitCode, WrongUseError
from tasks.policy_review.review import Review, review_policy
from tasks.workspace import Workspace, initialise, shipped_root

DAY = date(2026, 3, 10)
POLICY = """
description: A policy.
policy: own
statute: FR
segments: [{segment: everyone, ladder: standard}]
ladders:
  standard:
    - {step: reminder_1, after_due_days: 1, channel: email, charges: [late_interest]}
    - {step: placement, after_due_days: 60, channel: agency}
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = initialise(tmp_path / "w")
    own = made.policies / "escalation" / "own.yaml"
    own.parent.mkdir(parents=True)
    own.write_text(POLICY, encoding="utf-8")
    edit(made.creditor_path, "policy: standard_fr", "policy: own")
    return made


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def errors(review: Review) -> list[str]:
    return [problem.sentence() for problem in review.errors]


def warnings(review: Review) -> list[str]:
    return [problem.sentence() for problem in review.warnings]


def policy_of(workspace: Workspace) -> Path:
    return workspace.policies / "escalation" / "own.yaml"


def test_a_sound_policy_has_neither_errors_nor_warnings(workspace: Workspace) -> None:
    review = review_policy(workspace, DAY)
    assert (review.name, review.errors, review.warnings) == ("own.yaml", [], [])


def test_agency_statute_wording_and_a_misspelt_key_are_told_together(workspace: Workspace) -> None:
    edit(workspace.creditor_path, "\n  default:\n", "\n  main:\n")
    edit(policy_of(workspace), "statute: FR", "statute: FRR\nlader_mode: most_severe")
    edit(policy_of(workspace), "step: reminder_1,", "step: reminder_9,")
    nothing_called_so = "there is no template 'reminder_9'; did you mean 'reminder_3'?"
    assert [error.split(" (allowed")[0] for error in errors(review_policy(workspace, DAY))] == [
        "own.yaml: statute: line 4: there is no statute 'FRR'; did you mean 'FR'?",
        "own.yaml: lader_mode: line 5: unknown key 'lader_mode'; did you mean 'ladder_mode'?",
        f"own.yaml: ladders.standard[0].template: line 9: {nothing_called_so}",
        "own.yaml: ladders.standard[1].agency: line 10: creditor.yaml has no agency 'default'",
    ]


def test_wording_that_is_begun_and_not_whole_says_where_to_copy_from(workspace: Workspace) -> None:
    folder = workspace.templates / "reminder_9" / "fr"
    folder.mkdir(parents=True)
    (folder / "subject.txt").write_text("Rappel", encoding="utf-8")
    edit(policy_of(workspace), "step: reminder_1,", "step: reminder_9,")
    opening, closing = sorted(errors(review_policy(workspace, DAY)), reverse=True)
    copied = opening.removeprefix(
        "templates/reminder_9/fr/opening.txt: the file is missing (allowed: put a text there, for instance a copy of "
    ).removesuffix(")")
    assert copied.endswith("/fr/opening.txt")
    assert (shipped_root() / copied).is_file()
    assert closing.startswith("templates/reminder_9/fr/closing.txt: the file is missing")


def test_what_a_step_by_court_needs_is_said(workspace: Workspace) -> None:
    edit(
        policy_of(workspace),
        "{step: placement, after_due_days: 60, channel: agency}",
        "{step: formal_notice, after_due_days: 60, channel: court, answer_within_days: 8}",
    )
    (error,) = errors(review_policy(workspace, DAY))
    assert error.startswith(
        "templates/formal_notice/fr/agency.txt: the file is missing: "
        "it becomes notice.txt of the case that a step by agency or court hands over"
    )


def test_a_step_needs_the_wording_of_the_channel_that_stands_in(workspace: Workspace) -> None:
    edit(policy_of(workspace), "statute: FR", "statute: FR\ncontact: {fallback: {email: call}}")
    (error,) = errors(review_policy(workspace, DAY))
    assert error.startswith(
        "own.yaml: contact.fallback.email: line 5: 'reminder_1' may then go by call, "
        "but templates/reminder_1/fr/talking_points.txt: the file is missing"
    )


def test_a_law_file_that_cannot_be_read_is_told_beside_the_policy(workspace: Workspace) -> None:
    own = workspace.policies / "statutes"
    own.mkdir(parents=True)
    shutil.copy(shipped_root() / "policies" / "statutes" / "FR.yaml", own / "FR.yaml")
    edit(own / "FR.yaml", "statute: FR\n", "statut: FR\n")
    (own / "XX.yaml").write_bytes(b"\xff\xfe\x00")
    edit(policy_of(workspace), "channel: email", "chanel: email")
    assert [error.split(";")[0].split(" (")[0] for error in errors(review_policy(workspace, DAY))] == [
        "own.yaml: ladders.standard[0].chanel: line 8: unknown key 'chanel'",
        "statutes/FR.yaml: statut: line 5: unknown key 'statut'",
        "XX.yaml: this is no plain text in UTF-8",
    ]


def test_a_table_that_the_policy_names_is_read_too(workspace: Workspace) -> None:
    own = workspace.policies / "loss_rates" / "ours.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("description: Ours.\nloss_rate: ours\n", encoding="utf-8")
    edit(policy_of(workspace), "statute: FR", "statute: FR\nprovisions: {loss_rates: ours}")
    assert [error.split(";")[0] for error in errors(review_policy(workspace, DAY))][:2] == [
        "loss_rates/ours.yaml: checked: line 1: this key is missing",
        "loss_rates/ours.yaml: series: line 1: this key is missing",
    ]


def test_rates_of_this_and_the_next_half_year_are_asked_for(workspace: Workspace) -> None:
    told = warnings(review_policy(workspace, date(2027, 1, 5)))
    assert [one.split(" (")[0] for one in told] == [
        "rates/ecb_mro.yaml: no value for 2027-H1",
        "rates/ecb_mro.yaml: no value for 2027-H2",
        "rates/fr_legal.yaml: no value for 2027-H1",
        "rates/fr_legal.yaml: no value for 2027-H2",
    ]


def test_a_broken_creditor_file_is_told_beside_a_policy_that_is_named(workspace: Workspace) -> None:
    edit(workspace.creditor_path, "legal_name:", "legal_nam:")
    assert review_policy(workspace, DAY).name == "creditor.yaml"
    edit(policy_of(workspace), "channel: email", "chanel: email")
    found = errors(review_policy(workspace, DAY, policy_of(workspace)))
    assert [error.split(":")[0] for error in found] == ["own.yaml", "creditor.yaml"]


def test_a_policy_that_is_no_text_is_told_and_one_that_is_not_there_is_wrong_use(
    workspace: Workspace,
) -> None:
    policy_of(workspace).write_bytes(b"PK\x03\x04\xff\xfe")
    (error,) = errors(review_policy(workspace, DAY))
    assert error.startswith("own.yaml: this is no plain text in UTF-8")
    with pytest.raises(WrongUseError, match="no such file, and no policy of that name"):
        review_policy(workspace, DAY, workspace.root / "absent.yaml")


def test_another_policy_may_be_given_by_its_name(workspace: Workspace) -> None:
    review = review_policy(workspace, DAY, Path("simple_three_letters"))
    assert (review.name, review.errors) == ("simple_three_letters.yaml", [])


def test_customers_of_another_language_country_and_currency_are_told(workspace: Workspace) -> None:
    invoices = (
        "customer_id,customer_name,invoice_number,invoice_date,due_date,currency,amount,language,country\n"
    )
    rows = "C1,Müller,A,2026-01-01,2026-01-31,EUR,100.00,de,DE\nC2,Smith,B,2026-01-01,2026-01-31,USD,5.00,en,ZZ\n"
    (workspace.inbox / "invoices.csv").write_text(invoices + rows, encoding="utf-8")
    assert run(["intake", "--workspace", str(workspace.root), "--as-of", DAY.isoformat()]) == ExitCode.DONE
    keys = "small_balance: {EUR: 15}\ncalendar: {contact_on: business_days}"
    edit(policy_of(workspace), "statute: FR", f"statute: FR\n{keys}")
    assert [one.split(" (")[0] for one in warnings(review_policy(workspace, DAY))] == [
        "own.yaml: calendar.contact_on: line 6: the holidays of ZZ are not known: only weekends count",
        "own.yaml: small_balance: line 5: no threshold for USD: every balance is demanded",
        "own.yaml: ladders: line 8: customers of language 'de' are written to in 'fr': no wording in theirs",
    ]


def test_a_rate_below_what_the_statute_allows_is_told(workspace: Workspace) -> None:
    edit(policy_of(workspace), "statute: FR", "statute: FR\ncharges: {rate: 0.01}")
    (warning,) = warnings(review_policy(workspace, DAY))
    assert warning.startswith(
        "own.yaml: charges.rate: line 5: 1 % a year is below what statute FR allows: "
        "it will be raised to 3 x fr_legal = "
    )
    edit(policy_of(workspace), "rate: 0.01", "rate: 0.12")
    assert warnings(review_policy(workspace, DAY)) == []


def test_the_wording_there_is_is_told_once(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    edit(policy_of(workspace), "step: reminder_1,", "step: nothing_like_it,")
    edit(policy_of(workspace), "step: placement,", "step: nor_like_this,")
    code = run(["policy", "check", "--workspace", str(workspace.root), "--as-of", DAY.isoformat()])
    assert code == ExitCode.POLICY_INVALID
    told = capsys.readouterr().out
    assert told.count("final_demand_call") == 1
    assert "Allowed: as for line 8, ladders.standard[0].template" in told
