"""Which kind a returned mail is: a bounce for good or for now, a delivery, an automatic answer, a reply of a person.

A standard report is believed as it stands. Without one a mail is a bounce only when no person can have written it
and it says so in words that are known (`policies/returns/phrases.yaml`): a customer who quotes a bounce replies.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

from policies.return_phrases import BounceRule, ReturnPhrases, plain
from policies.return_senders import (
    asks_for_confirmation,
    is_auto_reply,
    is_automatic,
    is_from_daemon,
    is_mailing,
    says_it_bounced,
)
from policies.returned_mail import DeliveryReport, Evidence, ReturnedMail, ReturnKind

_CODE = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_ARRIVED = {"deliver": "delivered", "relay": "relayed", "expand": "expanded"}
OWN_COPY, OWN_COPY_ARRIVED = "own_copy", "own_copy_arrived"
"""Rules: a report is on an address of ours alone, such as that of the archive copy."""

# The middle number tells it from the version of a program.
_STATUS = re.compile(r"(?<![\d.])([45]\.[0-7]\.\d{1,3})(?![\d.]*\d)")
_VAGUE = ("", "5.0.0", "5.7.1", "5.5.0", "5.4.1", "5.1.0", "5.3.0", "5.4.0")
"""Statuses that say little: the words beside them are asked first."""
_NO_COMPLAINTS = ("not-spam", "auth-failure", "dmarc")
"""Feedback (RFC 5965, RFC 6591) that no recipient complains with."""


@dataclass(frozen=True)
class Verdict:
    """What a mail is, the status code it gives, and the rule that says so; both without words of a person.

    `spares_address`: a message was refused for a cause that is not the address, such as our sender or their policy.
    """

    kind: ReturnKind
    rule: str
    status: str = ""
    spares_address: bool = False


def classify(
    mail: ReturnedMail,
    evidence: Evidence,
    written_to: str,
    phrases: ReturnPhrases,
    own: Collection[str] = (),
) -> Verdict:
    """Return what a mail is.

    Args:
        mail: its facts.
        evidence: what ties it to a message or a customer of ours.
        written_to: the address our message went to; blank where no message is known.
        phrases: the words of mail systems.
        own: our own addresses in small letters, such as that of the archive copy: a report on one of them alone says
            nothing of the customer.
    """
    if mail.report_type == "feedback-report":
        return _of_feedback(mail)
    if mail.report_type == "disposition-notification":
        return _of_receipt(mail, phrases)
    if told := [report for report in mail.reports if report.action]:
        of_customer = [report for report in told if not _is_on_own(report, written_to, own)]
        if not of_customer:
            is_there = all(report.action.lower().startswith(tuple(_ARRIVED)) for report in told)
            return Verdict(ReturnKind.UNRELATED, OWN_COPY_ARRIVED if is_there else OWN_COPY)
        return _of_reports(of_customer, written_to, mail.text, phrases)
    return _of_words(mail, evidence, phrases)


def _is_on_own(report: DeliveryReport, written_to: str, own: Collection[str]) -> bool:
    """Return whether a report is on an address of ours, and not on the one that the message went to."""
    recipients = {recipient.lower() for recipient in report.recipients}
    return bool(recipients & set(own)) and written_to.lower() not in recipients


def _of_feedback(mail: ReturnedMail) -> Verdict:
    """A provider tells what a recipient did with a message: mostly that he called it spam."""
    if mail.feedback_type.lower().startswith(_NO_COMPLAINTS):
        return Verdict(ReturnKind.UNRELATED, "feedback")
    return Verdict(ReturnKind.COMPLAINT, "feedback_report")


def _of_receipt(mail: ReturnedMail, phrases: ReturnPhrases) -> Verdict:
    """A receipt says that a message was seen; some filters refuse messages in its form."""
    if "deleted" in plain(mail.disposition) and "automatically rejected" in plain(mail.text):
        rule = phrases.find_rule(mail.text)
        return _ruled(rule, "", phrases) if rule else Verdict(ReturnKind.SOFT_BOUNCE, "rejected_by_filter")
    return Verdict(ReturnKind.READ_RECEIPT, "disposition_notification")


def _of_reports(reports: list[DeliveryReport], written_to: str, text: str, phrases: ReturnPhrases) -> Verdict:
    """Return what a report says of the address we wrote to, else of whoever it was passed on to.

    Where a message reached one of several and failed for another, it arrived.
    """
    wanted = written_to.lower()
    own = [one for one in reports if wanted and wanted in (recipient.lower() for recipient in one.recipients)]
    verdicts = [_of_report(one, text, phrases) for one in own or reports]
    order = (
        ReturnKind.DELIVERED,
        ReturnKind.SOFT_BOUNCE,
        ReturnKind.HARD_BOUNCE,
        ReturnKind.UNRELATED,
    )
    return min(verdicts, key=lambda verdict: order.index(verdict.kind))


def _of_report(report: DeliveryReport, text: str, phrases: ReturnPhrases) -> Verdict:
    action = report.action.lower()
    # Strangers write these words, and a verdict goes into the log: nothing but a code and words of our own.
    status = report.status if _CODE.fullmatch(report.status) else ""
    # Some systems write `error`, or a comment behind the word.
    if action.startswith(("fail", "error", "undeliver")):
        return _failed(status, report.diagnostic, text, phrases)
    if action.startswith("delay"):
        return Verdict(ReturnKind.SOFT_BOUNCE, "delayed", status, phrases.spares_address(status))
    for word, rule in _ARRIVED.items():
        if action.startswith(word):
            return Verdict(ReturnKind.DELIVERED, rule, status)
    return Verdict(ReturnKind.UNRELATED, "unknown_action", status)


def _failed(status: str, words: str, text: str, phrases: ReturnPhrases) -> Verdict:
    """Return how bad a failure is: a telling status decides, else the words, else the class of the status.

    Words that blame something else than the address outrank a status that condemns it: servers give that too lightly.

    Args:
        status: of the report; blank where it has none.
        words: of the server that refused.
        text: what a person reads, asked where the server gives no words.
        phrases: the words of mail systems.
    """
    rule = phrases.find_rule(words or text)
    stated = next(iter(_STATUS.findall(words)), "")
    best = stated if status in _VAGUE and stated else status
    if rule and (best in _VAGUE or rule.outranks_status):
        return _ruled(rule, best, phrases)
    if phrases.spares_address(best):
        return _refused(best)
    # A server that said "later" until the sender gave up.
    if best.startswith("4") or stated.startswith("4"):
        return Verdict(ReturnKind.SOFT_BOUNCE, "status", best)
    is_told_nothing = best in ("", "5.0.0") and not words
    if best in phrases.hard_statuses or is_told_nothing:
        return Verdict(ReturnKind.HARD_BOUNCE, "status", best)
    name = "unknown_words" if best in ("", "5.0.0") else "status"
    return Verdict(ReturnKind.SOFT_BOUNCE, name, best, bool(rule and rule.spares_address))


def _of_words(mail: ReturnedMail, evidence: Evidence, phrases: ReturnPhrases) -> Verdict:
    is_daemon = is_from_daemon(mail, phrases)
    if asks_for_confirmation(mail, phrases) and not is_daemon:
        return Verdict(ReturnKind.CHALLENGE, "asks_for_confirmation")
    is_answer = is_auto_reply(mail, phrases)
    may_bounce = is_daemon or (is_automatic(mail) and not is_answer and says_it_bounced(mail, phrases))
    if may_bounce and (bounce := _of_bounce_text(mail, phrases)):
        return bounce
    if is_daemon and not is_answer:
        return Verdict(ReturnKind.UNRELATED, "unknown_system_mail")
    if is_answer or (is_automatic(mail) and evidence is not Evidence.NONE):
        return Verdict(ReturnKind.AUTO_REPLY, "automatic_answer")
    return _of_a_person(mail, evidence)


def _of_a_person(mail: ReturnedMail, evidence: Evidence) -> Verdict:
    """Return what a mail is that no program answered with."""
    is_about_a_message = evidence not in (Evidence.NONE, Evidence.CUSTOMER_ADDRESS)
    if is_mailing(mail) and not is_about_a_message:
        return Verdict(ReturnKind.UNRELATED, "mailing")
    if evidence is Evidence.NONE:
        return Verdict(ReturnKind.UNRELATED, "no_reference")
    return Verdict(ReturnKind.REPLY, "written_by_a_person")


def _of_bounce_text(mail: ReturnedMail, phrases: ReturnPhrases) -> Verdict | None:
    """Return what a bounce without a standard form says, or nothing where nothing shows that it is one."""
    rule = phrases.find_rule(mail.text) or phrases.find_rule(mail.header("subject"))
    status = next(iter(_STATUS.findall(mail.text)), "")
    if mail.delayed and not mail.failed:
        return Verdict(ReturnKind.SOFT_BOUNCE, "delayed", status, phrases.spares_address(status))
    if status and status not in _VAGUE:
        return _failed(status, mail.text, "", phrases)
    if rule:
        return _ruled(rule, status, phrases)
    if mail.failed or mail.header("x-failed-recipients"):
        return Verdict(ReturnKind.HARD_BOUNCE, "known_form", status)
    return None


def _ruled(rule: BounceRule, status: str, phrases: ReturnPhrases) -> Verdict:
    if rule.gives_no_cause and phrases.spares_address(status):
        return _refused(status)
    kind = ReturnKind.HARD_BOUNCE if rule.kind == "hard" else ReturnKind.SOFT_BOUNCE
    return Verdict(kind, rule.rule, status, rule.spares_address)


def _refused(status: str) -> Verdict:
    return Verdict(ReturnKind.SOFT_BOUNCE, "refused", status, spares_address=True)
