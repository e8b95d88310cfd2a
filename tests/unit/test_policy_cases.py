"""A file of cases: what may be said, and that every mistake is told at once, with its line."""

from datetime import date
from decimal import Decimal

import pytest

from policies.case_file import load_cases
from policies.policy_cases import CaseFile, PolicyCase
from policies.strict_yaml import YamlInvalidError

WHOLE = """
- case: A sentence.
  as_of: 2026-03-10
  invoices:
    - {invoice_number: 20260017, due_date: 2026-03-09, amount: 12.50}
  decisions:
    - {invoice_number: 20260017, step: reminder_1}
"""


def loaded(text: str) -> PolicyCase:
    (case,) = load_cases(text, "cases.yaml", PolicyCase)
    return case


def refused(text: str) -> list[str]:
    with pytest.raises(YamlInvalidError) as error:
        load_cases(text, "cases.yaml", PolicyCase)
    return str(error.value).splitlines()


def test_numbers_of_invoices_are_text_and_amounts_are_decimals() -> None:
    row = loaded(WHOLE).tables()["invoices"][0]
    assert (row["invoice_number"], row["amount"]) == ("20260017", Decimal("12.50"))


def test_an_invoice_was_issued_thirty_days_before_it_fell_due_unless_it_says_otherwise() -> None:
    stated = WHOLE.replace("due_date: 2026-03-09", "due_date: 2026-03-09, invoice_date: 2026-02-01")
    undated = WHOLE.replace("due_date: 2026-03-09, ", "")
    far = WHOLE.replace("2026-03-09", "2026-09-09")
    days = [loaded(text).tables()["invoices"][0]["invoice_date"] for text in (WHOLE, stated, undated, far)]
    assert days == [date(2026, 2, 7), date(2026, 2, 1), date(2026, 2, 8), date(2026, 3, 10)]


def test_facts_that_are_dates_of_an_invoice_are_said_in_its_row() -> None:
    text = (
        WHOLE.replace("due_date: 2026-03-09, ", "") + "  facts: {days_past_due: 8, days_since_invoice: 40}\n"
    )
    row = loaded(text).tables()["invoices"][0]
    assert (row["due_date"], row["invoice_date"]) == (date(2026, 3, 2), date(2026, 1, 29))


def test_what_is_wrong_in_several_cases_is_told_at_once_with_its_line() -> None:
    told = refused(
        """
- case: One.
  as_of: 2026-03-10
  invoices:
    - {invoice_number: A, amout: 12.50}
  decisions:
    - {invoice_number: A, step: reminder_1}
- case: Two.
  as_of: 2026-03-10
  invoices:
    - {invoice_number: A, amount: true}
  decisions:
    - {invoice_number: A}
- Three.
"""
    )
    assert told[0].startswith(
        "cases.yaml: [0].invoices[0].amout: line 5: unknown key 'amout'; did you mean 'amount'?"
    )
    assert told[1] == "cases.yaml: [1].invoices[0].amount: line 11: true and false are no number"
    assert told[2].startswith("cases.yaml: [1].decisions[0]: line 13: a decision expects a `step`")
    assert told[3].startswith("cases.yaml: [2]: line 14: the file holds no keys")


def test_a_day_that_is_none_does_not_hide_the_other_mistakes_of_a_case() -> None:
    told = refused(
        """
- case: One.
  asof: 2026-03-10
  invoice:
    - {invoice_number: A, due_date: 2026-02-30, amount: "1,000", curency: EURO}
  facts: {nope: 1}
  decisions:
    - {invoice_number: A, stepp: reminder_1}
    - {invoice_number: B, reason: nope}
- {case: Two., as_of: 2026-03-10, decisions: [{invoice_number: A, reason: yes}]}
"""
    )
    assert [line.removeprefix("cases.yaml: ").split(" (")[0] for line in told] == [
        "[0].asof: line 3: unknown key 'asof'; did you mean 'as_of'? It is missing",
        "[0].invoice: line 4: unknown key 'invoice'; did you mean 'invoices'?",
        "[0].invoice[0].due_date: line 5: '2026-02-30' is no day of the calendar",
        "[0].invoice[0].amount: line 5: '1,000' is no number",
        "[0].invoice[0].curency: line 5: unknown key 'curency'; did you mean 'currency'?",
        "[0].invoices[0].curency: line 5: 'EURO' is no currency",
        "[0].facts: line 6: there is no fact 'nope'",
        "[0].decisions[0].stepp: line 8: unknown key 'stepp'; did you mean 'step'?",
        "[0].decisions[1].reason: line 9: 'nope' is not known here",
        "[1].decisions[0].reason: line 10: 'yes' is read as true or false by some programs and as text by others",
    ]
    assert "(allowed: insolvent, written_off, " in told[-1]


@pytest.mark.parametrize("text", ["", "case: A sentence.", "[]"])
def test_a_file_without_a_list_of_cases_is_refused(text: str) -> None:
    assert refused(text)[0].startswith("cases.yaml: the file holds no cases")


def test_no_two_cases_say_the_same_sentence() -> None:
    assert refused(WHOLE + WHOLE) == ["cases.yaml: two cases say the same sentence: A sentence."]


def test_a_case_that_expects_nothing_is_refused() -> None:
    text = "- {case: A sentence., as_of: 2026-03-10}"
    assert "a case expects `decisions`" in refused(text)[0]


def test_an_item_that_is_held_claims_nothing() -> None:
    text = WHOLE.replace("step: reminder_1", "reason: disputed, charges: {late_interest: 1}")
    assert "an item that is held claims no `charges`" in refused(text)[0]


def test_a_fact_and_a_column_that_say_the_same_are_not_both_said() -> None:
    text = WHOLE + "  facts: {days_past_due: 8}\n"
    assert "the fact days_past_due and the column due_date of an invoice say the same" in refused(text)[0]


def test_the_form_of_a_file_can_be_told_to_editors() -> None:
    schema = CaseFile.model_json_schema()
    assert schema["type"] == "array"
    assert "PolicyCase" in schema["$defs"]
