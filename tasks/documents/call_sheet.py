"""The call sheet: one row per call, with what to say and empty columns for what was said."""

from collections.abc import Sequence
from pathlib import Path

from policies.creditor import Creditor
from policies.messages import Message
from policies.money import format_plain
from tasks.documents.content import message_language, placeholder_values
from tasks.documents.spreadsheet import write_csv
from tasks.documents.wording import QUESTIONS, Labels, find_file, piece_path, render_lines

COLUMNS = (
    "message_id", "listed_since", "customer_id", "customer_name", "contact_name", "phone", "email", "language",
    "country", "account_manager", "by", "step", "currency", "amount_demanded", "late_interest", "recovery_charge",
    "oldest_days_past_due", "invoices", "last_steps", "talking_points",
    "outcome", "outcome_date", "promised_date", "promised_amount", "note",
)  # fmt: skip
OUTCOME_COLUMNS = COLUMNS[-5:]
"""Left empty for the person who calls."""

ANSWER = "answer_"
"""Begins the columns for the answers to questions, by their number; there when a call of the sheet asks some."""


def render_call_sheet(
    messages: Sequence[Message], creditor: Creditor, roots: Sequence[Path], again: Sequence[Message] = ()
) -> bytes:
    """Return `calls.csv`: the oldest debts first.

    Args:
        messages: the calls of the day.
        creditor: who calls.
        roots: where the talking points stand.
        again: calls of earlier days whose outcome nobody has told yet, listed again as they were.
    """
    rows = [_row(message, creditor, roots) for message in (*messages, *again)]
    rows.sort(key=lambda row: (-int(row["oldest_days_past_due"]), row["customer_id"], row["currency"]))
    numbers = sorted(
        {int(name.removeprefix(ANSWER)) for row in rows for name in row if name.startswith(ANSWER)}
    )
    answers = [f"{ANSWER}{number}" for number in numbers]
    blank = dict.fromkeys(answers, "")
    return write_csv((*COLUMNS, *answers), [blank | row for row in rows], byte_order_mark=True)


def _row(message: Message, creditor: Creditor, roots: Sequence[Path]) -> dict[str, str]:
    language = message_language(message, creditor, roots)
    values = placeholder_values(message, creditor, language, Labels(roots, language), has_enclosures=False)
    points = render_lines(roots, piece_path(message.template, language, "talking_points"), values)
    asked = piece_path(message.template, language, QUESTIONS)
    questions = render_lines(roots, asked, values) if find_file(roots, asked) else ()
    numbered = [f"{number}. {question}" for number, question in enumerate(questions, 1)]
    customer = message.customer
    last = sorted(
        {(step.dispatch_date, step.step, step.channel, step.outcome) for step in message.past_steps}
    )
    return {
        "message_id": message.message_id,
        "listed_since": message.as_of.isoformat(),
        "customer_id": customer.customer_id,
        "customer_name": customer.customer_name,
        "contact_name": customer.contact_name,
        "phone": customer.phone,
        "email": customer.email,
        "language": message.language,
        "country": customer.country,
        "account_manager": customer.account_manager,
        "by": message.by,
        "step": message.step,
        "currency": message.currency,
        "amount_demanded": format_plain(message.total_principal, message.currency),
        "late_interest": format_plain(message.total_late_interest, message.currency),
        "recovery_charge": format_plain(message.total_recovery_charge, message.currency),
        "oldest_days_past_due": str(max(item.days_past_due for item in message.items)),
        "invoices": ", ".join(dict.fromkeys(item.invoice_number for item in message.items)),
        "last_steps": "; ".join(
            " ".join(filter(None, (day.isoformat(), step, channel, outcome)))
            for day, step, channel, outcome in last
        ),
        "talking_points": " | ".join((*points, *numbered)),
        **dict.fromkeys(OUTCOME_COLUMNS, ""),
        **{f"{ANSWER}{number}": "" for number in range(1, len(numbered) + 1)},
    }
