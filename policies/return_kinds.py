"""Which kind a returned mail is: a bounce for good or for now, a delivery, an automatic answer, a reply of a person.

A standard report is believed as it stands. Without one a mail is a bounce only when no person can have written it
and it says so in words that are known (`policies/returns/phrases.yaml`): a customer who quotes a bounce replies.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

from policies.return_phrases import ReturnPhrases, plain
from policies.returned_mail import DeliveryReport, Evidence, ReturnedMail, ReturnKind

_CODE = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_ARRIVED = {"deliver": "delivered", "relay": "relayed", "expand": "expanded"}
OWN_COPY, OWN_COPY_ARRIVED = "own_copy", "own_copy_arrived"
"""Rules: a report is on an address of ours alone, such as that of the archive copy."""

_STATUS = re.compile(r"(?<![\d.])([45]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)")
_ADDRESS = re.compile(r"([^\s<>@,;:\"']+)@[^\s<>@,;:\"']+")
_REPLY_PREFIX = re.compile(r"^(?:\s*(?:re|aw|sv|antw|rif|odp|réf?)\s*:)+\s*", re.IGNORECASE)
_VAGUE = ("", "5.0.0", "5.7.1", "5.5.0", "5.4.1", "5.1.0", "5.3.0", "5.4.0")
"""Statuses that say little: the words beside them are asked first."""
_MAILING_PRECEDENCE = ("bulk", "junk", "list")
_AUTO_REPLY_PRECEDENCE = ("auto_reply", "auto-reply")
_BEGINNING = 400
_AUTO_REPLY_HEADERS = ("x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply", "x-mail-autoreply")


@dataclass(frozen=True)
class Verdict:
    """What a mail is, the status code it gives, and the rule that says so; both without words of a person."""

    kind: ReturnKind
    rule: str
    status: str = ""


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
    if mail.report_type == "disposition-notification":
        return _of_receipt(mail, phrases)
    if told := [report for report in mail.reports if report.action]:
        of_customer = [report for report in told if not _is_on_own(report, written_to, own)]
        if not of_customer:
            is_there = all(report.action.lower().startswith(tuple(_ARRIVED)) for report in told)
            return Verdict(ReturnKind.UNRELATED, OWN_COPY_ARRIVED if is_there else OWN_COPY)
        return _of_reports(of_customer, written_to, phrases)
    return _of_words(mail, evidence, phrases)


def _is_on_own(report: DeliveryReport, written_to: str, own: Collection[str]) -> bool:
    """Return whether a report is on an address of ours, and not on the one that the message went to."""
    recipients = {recipient.lower() for recipient in report.recipients}
    return bool(recipients & set(own)) and written_to.lower() not in recipients


def _of_receipt(mail: ReturnedMail, phrases: ReturnPhrases) -> Verdict:
    """A receipt says that a message was seen; some filters refuse messages in its form."""
    rule = phrases.find_rule(mail.text)
    if "deleted" in plain(mail.disposition) and "automatically rejected" in plain(mail.text):
        return _bounce(rule.kind if rule else "soft", rule.rule if rule else "rejected_by_filter")
    return Verdict(ReturnKind.READ_RECEIPT, "disposition_notification")


def _of_reports(reports: list[DeliveryReport], written_to: str, phrases: ReturnPhrases) -> Verdict:
    """Return what a report says of the address we wrote to, else of whoever it was passed on to.

    Where a message reached one of several and failed for another, it arrived.
    """
    wanted = written_to.lower()
    own = [one for one in reports if wanted and wanted in (recipient.lower() for recipient in one.recipients)]
    verdicts = [_of_report(one, phrases) for one in own or reports]
    order = (
        ReturnKind.DELIVERED,
        ReturnKind.SOFT_BOUNCE,
        ReturnKind.HARD_BOUNCE,
        ReturnKind.UNRELATED,
    )
    return min(verdicts, key=lambda verdict: order.index(verdict.kind))


def _of_report(report: DeliveryReport, phrases: ReturnPhrases) -> Verdict:
    action = report.action.lower()
    # Strangers write these words, and a verdict goes into the log: nothing but a code and words of our own.
    status = report.status if _CODE.fullmatch(report.status) else ""
    # Some systems write `error`, or a comment behind the word.
    if action.startswith(("fail", "error", "undeliver")):
        return _failed(status, report.diagnostic, phrases)
    if action.startswith("delay"):
        return Verdict(ReturnKind.SOFT_BOUNCE, "delayed", status)
    for word, rule in _ARRIVED.items():
        if action.startswith(word):
            return Verdict(ReturnKind.DELIVERED, rule, status)
    return Verdict(ReturnKind.UNRELATED, "unknown_action", status)


def _failed(status: str, words: str, phrases: ReturnPhrases) -> Verdict:
    """Return how bad a failure is: a telling status decides, else the words, else the class of the status."""
    rule = phrases.find_rule(words)
    stated = next(iter(_STATUS.findall(words)), "")
    best = stated if status in _VAGUE and stated else status
    if best in _VAGUE and rule:
        return _bounce(rule.kind, rule.rule, best)
    if best in phrases.hard_statuses:
        return _bounce("hard", "status", best)
    if best == "" or best.endswith(".0.0"):
        return _bounce("soft" if best.startswith("4") else "hard", "status", best)
    return _bounce("soft", "status", best)


def _of_words(mail: ReturnedMail, evidence: Evidence, phrases: ReturnPhrases) -> Verdict:
    said = plain(mail.text)
    is_daemon = _is_from_daemon(mail, phrases)
    if _asks_for_confirmation(mail, said, phrases) and not is_daemon:
        return Verdict(ReturnKind.CHALLENGE, "asks_for_confirmation")
    is_answer = _is_auto_reply(mail, said, phrases)
    may_bounce = is_daemon or (_is_automatic(mail) and not is_answer and _says_it_bounced(mail, phrases))
    if may_bounce and (bounce := _of_bounce_text(mail, said, phrases)):
        return bounce
    if is_daemon and not is_answer:
        return Verdict(ReturnKind.UNRELATED, "unknown_system_mail")
    if is_answer or (_is_automatic(mail) and evidence is not Evidence.NONE):
        return Verdict(ReturnKind.AUTO_REPLY, "automatic_answer")
    return _of_a_person(mail, evidence)


def _of_a_person(mail: ReturnedMail, evidence: Evidence) -> Verdict:
    """Return what a mail is that no program answered with."""
    is_about_a_message = evidence not in (Evidence.NONE, Evidence.CUSTOMER_ADDRESS)
    if _is_mailing(mail) and not is_about_a_message:
        return Verdict(ReturnKind.UNRELATED, "mailing")
    if evidence is Evidence.NONE:
        return Verdict(ReturnKind.UNRELATED, "no_reference")
    return Verdict(ReturnKind.REPLY, "written_by_a_person")


def _of_bounce_text(mail: ReturnedMail, said: str, phrases: ReturnPhrases) -> Verdict | None:
    """Return what a bounce without a standard form says, or nothing where nothing shows that it is one."""
    rule = phrases.find_rule(said) or phrases.find_rule(mail.header("subject"))
    status = next(iter(_STATUS.findall(mail.text)), "")
    if mail.delayed and not mail.failed:
        return Verdict(ReturnKind.SOFT_BOUNCE, "delayed", status)
    if status and status not in _VAGUE:
        return _failed(status, said, phrases)
    if rule:
        return _bounce(rule.kind, rule.rule, status)
    if mail.failed or mail.header("x-failed-recipients"):
        return _bounce("hard", "known_form", status)
    return None


def _bounce(kind: str, rule: str, status: str = "") -> Verdict:
    return Verdict(ReturnKind.HARD_BOUNCE if kind == "hard" else ReturnKind.SOFT_BOUNCE, rule, status)


def _is_from_daemon(mail: ReturnedMail, phrases: ReturnPhrases) -> bool:
    """Return whether the sender is a mail system."""
    return _local_part(mail).startswith(phrases.daemons) or bool(mail.header("x-failed-recipients"))


def _local_part(mail: ReturnedMail) -> str:
    """Return who sent it, without the domain; some systems give a name and no address."""
    sender = mail.header("from")
    found = _ADDRESS.search(sender)
    return (found.group(1) if found else sender).lower().strip('<> "')


def _is_automatic(mail: ReturnedMail) -> bool:
    """Return whether a program sent this (RFC 3834): it says so, or nobody is to answer it."""
    stated = mail.header("auto-submitted").lower()
    return (bool(stated) and not stated.startswith("no")) or mail.header("return-path").strip() == "<>"


def _says_it_bounced(mail: ReturnedMail, phrases: ReturnPhrases) -> bool:
    subject = plain(mail.header("subject"))
    return bool(mail.failed or mail.delayed) or subject.startswith(phrases.bounce_subjects)


def _is_auto_reply(mail: ReturnedMail, said: str, phrases: ReturnPhrases) -> bool:
    subject = _REPLY_PREFIX.sub("", plain(mail.header("subject")))
    if subject.startswith(phrases.auto_reply_subjects) or any(map(mail.header, _AUTO_REPLY_HEADERS)):
        return True
    if mail.header("precedence").lower() in _AUTO_REPLY_PRECEDENCE:
        return True
    if "all" in mail.header("x-auto-response-suppress").lower():
        return True
    is_absent = any(one in said[:_BEGINNING] for one in phrases.auto_reply_phrases)
    is_so_named = subject.startswith(phrases.auto_reply_subjects_if_automatic)
    is_by_program = _is_automatic(mail) or _is_mailing(mail)
    return (is_by_program and (is_absent or is_so_named)) or (is_absent and is_so_named)


def _is_mailing(mail: ReturnedMail) -> bool:
    """Return whether a mail went to many, or was judged to be spam on its way."""
    is_flagged = mail.header("x-spam-flag").lower() == "yes" or mail.header(
        "x-spam-status"
    ).lower().startswith("yes")
    is_list = any(mail.header(name) for name in ("list-id", "list-unsubscribe", "feedback-id"))
    return is_flagged or is_list or mail.header("precedence").lower() in _MAILING_PRECEDENCE


def _asks_for_confirmation(mail: ReturnedMail, said: str, phrases: ReturnPhrases) -> bool:
    """Return whether a filter wants a confirmation; a person who wants one replies."""
    is_by_program = (
        _is_automatic(mail) or _is_mailing(mail) or _local_part(mail).startswith(phrases.no_reply_senders)
    )
    return is_by_program and any(one in said for one in phrases.challenge_phrases)
