"""`policy explain`: every key is told in both languages, in every form, and nothing of a policy becomes markup."""

# ruff: noqa: E501 - a key and its example read best on one line

from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel

from flows.__main__ import run
from policies.errors import PolicyInvalidError
from policies.policy import Policy, content_hash
from tasks.policy_page import Form, explain_policy
from tasks.workspace import Workspace, initialise

AS_OF = date(2026, 8, 31)
ESCALATION = Path(__file__).parents[2] / "policies" / "escalation"
STEP: dict[str, Any] = {"step": "first", "after_due_days": 5, "channel": "email"}
PLAIN: dict[str, Any] = {
    "description": "A plain policy.",
    "policy": "plain",
    "segments": [{"segment": "all", "ladder": "one"}],
    "ladders": {"one": [STEP, {"step": "second", "after_due_days": 90, "channel": "email"}]},
}


def with_step(**keys: object) -> dict[str, Any]:
    """Return the plain policy with the keys on the second step of its ladder."""
    steps = PLAIN["ladders"]["one"]
    return {**PLAIN, "ladders": {"one": [steps[0], {**steps[1], **keys}]}}


def with_keys(**keys: object) -> dict[str, Any]:
    return {**PLAIN, **keys}


EUR = {"EUR": "1234.00"}
CHANGED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "Policy.policy": (PLAIN, with_keys(policy="other_name"), "other_name"),
    "Policy.description": (PLAIN, with_keys(description="Oddity."), "Oddity."),
    "Policy.review_by": (PLAIN, with_keys(review_by=date(2031, 5, 17)), "2031"),
    "Policy.statute": (PLAIN, with_keys(statute="UK"), "UK"),
    "Policy.aging_buckets_days": (PLAIN, with_keys(aging_buckets_days=[0, 17]), "18"),
    "Policy.calendar": (PLAIN, with_keys(calendar={"contact_on": "business_days"}), ""),
    "Policy.contact": (PLAIN, with_keys(contact={"minimum_gap_days": 17}), "17"),
    "Policy.ladder_mode": (PLAIN, with_keys(ladder_mode="most_severe"), ""),
    "Policy.entry": (PLAIN, with_keys(entry="start_by_age"), ""),
    "Policy.anchor": (PLAIN, with_keys(anchor="oldest_item"), ""),
    "Policy.small_balance": (PLAIN, with_keys(small_balance=EUR), "234"),
    "Policy.promise_grace_days": (PLAIN, with_keys(promise_grace_days=17), "17"),
    "Policy.guards": (PLAIN, with_keys(guards={"maximum_customers_contacted_percent": 17}), "17"),
    "Policy.approvals": (PLAIN, with_keys(approvals={"expire_after_days": 17}), "17"),
    "Policy.risk": (PLAIN, with_keys(risk=[{"class": "odd"}]), "odd"),
    "Policy.segments": (PLAIN, with_keys(segments=[{"segment": "odd", "ladder": "one"}]), "odd"),
    "Policy.ladders": (PLAIN, with_step(step="odd"), "odd"),
    "Policy.accelerate": (PLAIN, with_keys(accelerate=[{"when": "bounced", "to": "second"}]), ""),
    "Policy.give_up": (PLAIN, with_keys(give_up={"when": "days_past_due > 917"}), "917"),
    "Policy.credit_hold": (PLAIN, with_keys(credit_hold={"when": "overdue_items > 917"}), "917"),
    "Policy.watch": (PLAIN, with_keys(watch=[{"watch": "odd", "when": "bounced"}]), "odd"),
    "Policy.provisions": (PLAIN, with_keys(provisions={"loss_rates": "odd"}), "odd"),
    "Policy.charges": (PLAIN, with_keys(charges={"rate": "0.17"}), "17"),
    "Blackout.from_": (
        with_keys(calendar={"blackouts": [{"from": date(2026, 8, 1), "to": date(2026, 8, 20), "why": "closed"}]}),
        with_keys(calendar={"blackouts": [{"from": date(2026, 8, 13), "to": date(2026, 8, 20), "why": "closed"}]}),
        "13",
    ),
    "Blackout.to": (PLAIN, with_keys(calendar={"blackouts": [{"from": date(2026, 8, 1), "to": date(2026, 8, 27), "why": "closed"}]}), "27"),
    "Blackout.why": (PLAIN, with_keys(calendar={"blackouts": [{"from": date(2026, 8, 1), "to": date(2026, 8, 2), "why": "inventory"}]}), "inventory"),
    "Calendar.country": (PLAIN, with_keys(calendar={"country": "PT"}), "Portugal"),
    "Calendar.contact_on": (PLAIN, with_keys(calendar={"contact_on": "business_days"}), ""),
    "Calendar.blackouts": (PLAIN, with_keys(calendar={"blackouts": [{"from": date(2026, 8, 1), "to": date(2026, 8, 2), "why": "closed"}]}), "closed"),
    "ContactCap.contacts": (PLAIN, with_keys(contact={"maximum": {"contacts": 17, "days": 90}}), "17"),
    "ContactCap.days": (PLAIN, with_keys(contact={"maximum": {"contacts": 1, "days": 97}}), "97"),
    "Contact.minimum_gap_days": (PLAIN, with_keys(contact={"minimum_gap_days": 17}), "17"),
    "Contact.maximum": (PLAIN, with_keys(contact={"maximum": {"contacts": 17, "days": 90}}), "17"),
    "Contact.fallback": (PLAIN, with_keys(contact={"fallback": {"email": "call"}}), ""),
    "Guards.maximum_source_age_business_days": (PLAIN, with_keys(guards={"maximum_source_age_business_days": 17}), "17"),
    "Guards.maximum_customers_contacted_percent": (PLAIN, with_keys(guards={"maximum_customers_contacted_percent": 17}), "17"),
    "Guards.maximum_amount": (PLAIN, with_keys(guards={"maximum_amount": EUR}), "234"),
    "Guards.maximum_percent_of_usual_amount": (PLAIN, with_keys(guards={"maximum_percent_of_usual_amount": 417}), "417"),
    "Guards.maximum_first_contacts_percent": (PLAIN, with_keys(guards={"maximum_first_contacts_percent": 17}), "17"),
    "Guards.maximum_bounces_percent": (PLAIN, with_keys(guards={"maximum_bounces_percent": 17}), "17"),
    "Approvals.expire_after_days": (PLAIN, with_keys(approvals={"expire_after_days": 17}), "17"),
    "Approvals.two_names_above": (PLAIN, with_keys(approvals={"two_names_above": EUR}), "234"),
    "RiskClass.class_": (PLAIN, with_keys(risk=[{"class": "odd"}]), "odd"),
    "RiskClass.when": (with_keys(risk=[{"class": "odd"}]), with_keys(risk=[{"class": "odd", "when": "overdue_items > 917"}]), "917"),
    "Segment.segment": (PLAIN, with_keys(segments=[{"segment": "odd", "ladder": "one"}]), "odd"),
    "Segment.when": (PLAIN, with_keys(segments=[{"segment": "all", "when": "overdue_items > 917", "ladder": "one"}]), "917"),
    "Segment.ladder": (PLAIN, with_keys(segments=[{"segment": "all", "ladder": "odd"}], ladders={"odd": [STEP]}), "odd"),
    "Accelerate.when": (PLAIN, with_keys(accelerate=[{"when": "days_past_due > 917", "to": "second"}]), "917"),
    "Accelerate.to": (with_keys(accelerate=[{"when": "bounced", "to": "first"}]), with_keys(accelerate=[{"when": "bounced", "to": "second"}]), ""),
    "Condition.when": (PLAIN, with_keys(credit_hold={"when": "overdue_items > 917"}), "917"),
    "GiveUp.when": (with_keys(give_up={"limitation_within_days": 17}), with_keys(give_up={"when": "days_past_due > 917", "limitation_within_days": 17}), "917"),
    "GiveUp.cost_limit": (with_keys(give_up={"limitation_within_days": 17}), with_keys(give_up={"cost_limit": EUR, "recovery_odds": "odds", "limitation_within_days": 17}), "234"),
    "GiveUp.recovery_odds": (with_keys(give_up={"when": "bounced"}), with_keys(give_up={"when": "bounced", "cost_limit": EUR, "recovery_odds": "odd"}), "odd"),
    "GiveUp.limitation_within_days": (with_keys(give_up={"when": "bounced"}), with_keys(give_up={"when": "bounced", "limitation_within_days": 17}), "17"),
    "Watch.watch": (PLAIN, with_keys(watch=[{"watch": "odd", "when": "bounced"}]), "odd"),
    "Watch.when": (PLAIN, with_keys(watch=[{"watch": "odd", "when": "overdue_items > 917"}]), "917"),
    "Provisions.loss_rates": (PLAIN, with_keys(provisions={"loss_rates": "odd"}), "odd"),
    "Provisions.forward_looking": (PLAIN, with_keys(provisions={"forward_looking": "9.17"}), "17"),
    "Charges.rate": (PLAIN, with_keys(charges={"rate": "0.17"}), "17"),
    "Charges.survive": (PLAIN, with_keys(charges={"survive": True}), ""),
    "Step.step": (PLAIN, with_step(step="odd"), "odd"),
    "Step.after_due_days": (PLAIN, with_step(after_due_days=97), "97"),
    "Step.after_invoice_days": (PLAIN, with_step(after_invoice_days=97), "97"),
    "Step.end_of_month": (PLAIN, with_step(end_of_month=True), ""),
    "Step.after_previous_days": (PLAIN, with_step(after_previous_days=97), "97"),
    "Step.before_due": (with_keys(ladders={"one": [{**STEP, "after_due_days": -5}]}), with_keys(ladders={"one": [{"step": "first", "channel": "email", "before_due": True}]}), ""),
    "Step.when": (PLAIN, with_step(when="days_past_due > 917"), "917"),
    "Step.minimum_amount": (PLAIN, with_step(minimum_amount=EUR), "234"),
    "Step.channel": (PLAIN, with_step(channel="letter"), ""),
    "Step.template": (PLAIN, with_step(template="odd"), "odd"),
    "Step.charges": (PLAIN, with_step(charges=["recovery_charge"]), ""),
    "Step.fee": (PLAIN, with_step(fee=EUR), "234"),
    "Step.approval": (PLAIN, with_step(approval="required"), ""),
    "Step.approvers": (with_step(approval="required"), with_step(approval="required", approvers=4), "4"),
    "Step.answer_within_days": (PLAIN, with_step(answer_within_days=97), "97"),
    "Step.repeat_every_days": (PLAIN, with_step(repeat_every_days=97), "97"),
    "Step.repeat_at_most": (with_step(repeat_every_days=9), with_step(repeat_every_days=9, repeat_at_most=17), "17"),
    "Step.requires_outcome": (PLAIN, with_step(requires_outcome=True), ""),
    "Step.needs_delivery_proof": (PLAIN, with_step(needs_delivery_proof=True), ""),
    "Step.by": (PLAIN, with_step(by="odd"), "odd"),
    "Step.agency": (with_step(channel="agency"), with_step(channel="agency", agency="odd"), "odd"),
}  # fmt: skip
"""For every key: a policy without it, one with it, and a word that then stands on the page."""


class _Plainly(yaml.SafeDumper):
    """Writes what stands twice twice."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def models(kind: type[BaseModel]) -> set[type[BaseModel]]:
    """Every block that a policy file may hold."""
    found = {kind}
    for field in kind.model_fields.values():
        found |= {nested for part in parts_of(field.annotation) for nested in models(part)}
    return found


def parts_of(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for argument in get_args(annotation) for found in parts_of(argument)]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return initialise(tmp_path_factory.mktemp("policy_page") / "cormier")


def page(workspace: Workspace, policy: dict[str, Any], language: str = "en", form: Form = "text") -> str:
    return told_once(workspace, yaml.dump(policy, Dumper=_Plainly, sort_keys=False), language, form)


@cache
def told_once(workspace: Workspace, text: str, language: str, form: Form) -> str:
    path = workspace.root / f"tried-{content_hash(text)[:8]}.yaml"
    path.write_text(text, encoding="utf-8")
    told = explain_policy(workspace, path, AS_OF, language, form)
    # The name and the fingerprint of the file differ with every policy, and tell nothing of the words.
    return "\n".join(
        line for line in told.split("\n") if path.name not in line and content_hash(text) not in line
    )


def test_every_key_of_a_policy_has_an_example_here() -> None:
    keys = {f"{kind.__name__}.{name}" for kind in models(Policy) for name in kind.model_fields}
    assert keys == set(CHANGED)


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("key", CHANGED)
def test_every_key_is_told_when_it_is_set(key: str, language: str, workspace: Workspace) -> None:
    without, with_it, word = CHANGED[key]
    before, after = page(workspace, without, language), page(workspace, with_it, language)
    assert [line for line in after.split("\n") if line not in before.split("\n")]
    assert word in after


def test_what_is_not_set_is_said_where_it_matters(workspace: Workspace) -> None:
    told = " ".join(page(workspace, PLAIN).split())
    for sentence in (
        "No date for its review is set.",
        "No minimum gap between two contacts with the same customer is set.",
        "No maximum number of contacts is set.",
        "No channel stands in for another",
        "No law of late payment is named, and no contract rate",
        "No amount is too small to be asked for.",
        "No risk classes are defined.",
        "Customers are contacted on any day of the week",
    ):
        assert sentence in told


@pytest.mark.parametrize(
    "statute", ["FR", "UK", "DE", "NL", "BE", "IE", "EU", "CA", "CA_QC", "US", "ATLANTIS"]
)
@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_law_can_be_told(statute: str, language: str, workspace: Workspace) -> None:
    assert statute in page(workspace, with_keys(statute=statute), language)


def test_a_half_year_without_a_rate_is_named(workspace: Workspace) -> None:
    path = ESCALATION / "standard_fr.yaml"
    told = explain_policy(workspace, path, date(2099, 1, 1), "en", "text")
    assert "no rate is on file for 2099-H1" in " ".join(told.split())


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("path", sorted(ESCALATION.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_policy_is_told_in_every_form(
    path: Path, language: str, form: Form, workspace: Workspace
) -> None:
    told = explain_policy(workspace, path, AS_OF, language, form)
    assert path.stem in told
    assert "None" not in told
    assert "{{" not in told


HOSTILE = "</p><script>alert(1)</script> **bold** [x](http://evil.example) `tick` \x02\x04\n# heading"


def test_nothing_of_a_policy_becomes_markup(workspace: Workspace) -> None:
    hostile = with_keys(
        description=HOSTILE,
        segments=[
            {"segment": "all", "when": "customer_id = '<img src=x onerror=alert(1)>`'", "ladder": "one"}
        ],
    )
    html = page(workspace, hostile, form="html")
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;" in html
    markdown = page(workspace, hostile, form="markdown")
    assert r"\</p\>\<script\>" in markdown
    assert r"\*\*bold\*\*" in markdown
    assert "\n# heading" not in markdown


def test_the_page_needs_nothing_from_outside(workspace: Workspace) -> None:
    html = explain_policy(workspace, ESCALATION / "treatment_plan.yaml", AS_OF, "fr", "html")
    assert html.count("<svg") == 4
    outside = html.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not [
        mark for mark in ("http://", "https://", "<script", "<link", "@import", "url(") if mark in outside
    ]


def test_a_template_of_the_workspace_stands_before_the_shipped_one(tmp_path: Path) -> None:
    workspace = initialise(tmp_path / "own")
    own = workspace.templates / "policy" / "en" / "findings.txt"
    own.parent.mkdir(parents=True)
    own.write_text("## Our own words\n", encoding="utf-8")
    path = ESCALATION / "simple_three_letters.yaml"
    assert "Our own words" in explain_policy(workspace, path, AS_OF, "en", "text")
    own.write_text("{{ nothing_of_this_name }}\n", encoding="utf-8")
    with pytest.raises(PolicyInvalidError, match="nothing_of_this_name"):
        explain_policy(workspace, path, AS_OF, "en", "text")


def test_the_command_speaks_the_creditors_language_and_writes_a_file(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["policy", "explain", "--workspace", str(workspace.root), "--as-of", "2026-08-31"]
    assert run(common) == 0
    assert "Politique de relance" in capsys.readouterr().out
    target = workspace.root / "policy.html"
    assert run([*common, "--language", "en", "--format", "html", "--output", str(target)]) == 0
    assert "<h1>Collection policy" in target.read_text(encoding="utf-8")
    assert capsys.readouterr().out == ""
    assert run([*common, "--output", str(workspace.root / "no" / "folder.txt")]) == 2
    assert "cannot be written" in capsys.readouterr().err
