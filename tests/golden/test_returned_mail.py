"""Mail that came back in the shapes of real systems: what each is taken for, and which message it is matched to.

`pytest -s` prints tables of recall and false positives by kind. Three sets were judged before anything was mended for
them: `unseen` (16 of 20 right at first), round 2, of shapes in which a tester had found errors (6 of 38), and round 3,
written after the rules that mended these (18 of 20).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
import yaml

from policies.return_kinds import Verdict, classify
from policies.return_matching import find_message
from policies.return_phrases import ReturnPhrases, load_phrases
from policies.returned_mail import Evidence, ReturnKind
from tasks.returns.facts import read_facts
from tests.conventions.source_tree import ROOT

FOLDER = ROOT / "tests" / "data" / "returned_mail"
INDEX = yaml.safe_load((FOLDER / "index.yaml").read_text(encoding="utf-8"))["mails"]
PHRASES = "policies/returns/phrases.yaml"
NUMBERS = {row["message"] for row in INDEX.values() if "message" in row}
BOUNCES = ("hard_bounce", "soft_bounce")


@dataclass(frozen=True)
class Judged:
    """What a file is, what it was taken for, and the message it should be and was matched to."""

    name: str
    kind: str
    found: str
    message: str
    matched: str
    evidence: str


def verdict(name: str, phrases: ReturnPhrases) -> Verdict:
    facts = read_facts((FOLDER / f"{name}.eml").read_bytes(), phrases)
    return classify(facts, Evidence.ENVELOPE_ADDRESS, INDEX[name].get("written_to", ""), phrases)


def judge(name: str, phrases: ReturnPhrases) -> Judged:
    row = INDEX[name]
    facts = read_facts((FOLDER / f"{name}.eml").read_bytes(), phrases)
    evidence, matched = find_message(facts, NUMBERS)
    # As the mailbox would find it: a person of the address book who names no message of ours.
    if row.get("evidence") == Evidence.CUSTOMER_ADDRESS.value:
        evidence = Evidence.CUSTOMER_ADDRESS
    if name == "newsletter_of_a_customer":
        evidence = Evidence.CUSTOMER_ADDRESS
    found = classify(facts, evidence, row.get("written_to", "") if matched else "", phrases)
    return Judged(name, row["kind"], found.kind.value, row.get("message", ""), matched, evidence.value)


@pytest.fixture(scope="module")
def judged() -> list[Judged]:
    phrases = load_phrases((ROOT / PHRASES).read_text(encoding="utf-8"), PHRASES)
    return [judge(name, phrases) for name in sorted(INDEX)]


def table(judged: Sequence[Judged]) -> list[tuple[str, int, int, int]]:
    """Return for each kind how many there are, how many were found, and how many others were taken for it."""
    there = Counter(one.kind for one in judged)
    right = Counter(one.kind for one in judged if one.kind == one.found)
    taken = Counter(one.found for one in judged)
    return [(kind.value, there[kind], right[kind], taken[kind] - right[kind]) for kind in ReturnKind]


def test_every_file_stands_in_the_index() -> None:
    assert {path.stem for path in FOLDER.glob("*.eml")} == set(INDEX)


def test_mail_is_taken_for_what_it_is_and_matched_to_its_message(judged: list[Judged]) -> None:
    known = [one for one in judged if not {"unseen", "round"} & set(INDEX[one.name])]
    print_table("shapes the rules were written with", known)
    assert [(one.name, one.kind, one.found) for one in judged if one.kind != one.found] == []
    assert [(one.name, one.message, one.matched) for one in judged if one.message != one.matched] == []
    expected = {name: row["evidence"] for name, row in INDEX.items() if "evidence" in row}
    assert [one.name for one in judged if expected.get(one.name, one.evidence) != one.evidence] == []


@pytest.mark.parametrize(
    ("key", "value", "title", "right_at_first"),
    [
        ("unseen", True, "shapes written after the rules", 16),
        ("round", 2, "shapes in which errors had been found", 6),
        ("round", 3, "shapes written after these were mended", 18),
    ],
)
def test_shapes_that_nobody_had_seen_were_judged_so_at_first(
    judged: list[Judged], key: str, value: object, title: str, right_at_first: int
) -> None:
    unseen = [one for one in judged if INDEX[one.name].get(key) == value]
    print_table(title, unseen)
    assert len(unseen) - sum("first" in INDEX[one.name] for one in unseen) == right_at_first


def test_what_is_no_bounce_is_never_taken_for_one(judged: list[Judged]) -> None:
    others = [one for one in judged if one.kind not in BOUNCES]
    assert len(others) >= 60
    assert [one.name for one in others if one.found in BOUNCES] == []


def test_what_a_person_wrote_is_never_taken_for_what_a_program_sent(judged: list[Judged]) -> None:
    written = [one for one in judged if one.kind == "reply"]
    assert len(written) >= 20
    assert [one.name for one in written if one.found != "reply"] == []


def test_refusals_that_blame_no_address_spare_it_and_bounces_for_good_do_not() -> None:
    phrases = load_phrases((ROOT / PHRASES).read_text(encoding="utf-8"), PHRASES)
    spared = {name for name in INDEX if verdict(name, phrases).spares_address}
    assert {name for name in spared if INDEX[name]["kind"] != "soft_bounce"} == set()
    of_refusals = {name for name, row in INDEX.items() if row.get("refused")}
    assert len(of_refusals) >= 15
    assert of_refusals - spared == set()


def print_table(title: str, judged: Sequence[Judged]) -> None:
    print(f"\n{title}: {len(judged)} files")
    print(f"{'kind':14} files  found  recall  taken for it wrongly")
    for kind, there, right, wrong in table(judged):
        if there or wrong:
            recall = f"{100 * right / there:.0f} %" if there else "-"
            print(f"{kind:14} {there:5}  {right:5}  {recall:>6}  {wrong:5}")
