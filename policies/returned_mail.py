"""What came back by mail, as far as rules can see it: what was found in one mail, and what kinds there are.

Reading mail into these facts: `tasks.returns`. Which kind it is: `policies.return_kinds`; which message it is about:
`policies.return_matching`; what follows: `policies.return_effects`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class ReturnKind(StrEnum):
    """What a mail that came back is."""

    # The address doesn't take mail, and will not tomorrow.
    HARD_BOUNCE = "hard_bounce"
    # The message did not arrive, or not yet; the address may be good.
    SOFT_BOUNCE = "soft_bounce"
    DELIVERED = "delivered"
    # A person answers.
    REPLY = "reply"
    # Out of office, "we have received your message": neither a bounce nor a reply.
    AUTO_REPLY = "auto_reply"
    READ_RECEIPT = "read_receipt"
    # The customer called the message spam.
    COMPLAINT = "complaint"
    # The message is kept until somebody confirms it.
    CHALLENGE = "challenge"
    # Newsletters, spam, mail about something else.
    UNRELATED = "unrelated"


class Evidence(StrEnum):
    """What ties a mail to a message or to a customer, the strongest first."""

    ENVELOPE_ADDRESS = "envelope_address"
    ENVELOPE_ID = "envelope_id"
    RETURNED_MESSAGE = "returned_message"
    IN_REPLY_TO = "in_reply_to"
    REFERENCES = "references"
    # Of the customer alone, never of a message.
    CUSTOMER_ADDRESS = "customer_address"
    NONE = "none"


@dataclass(frozen=True)
class DeliveryReport:
    """What a report says of one recipient (RFC 3464, 2.3); blank where it says nothing."""

    action: str = ""
    status: str = ""
    diagnostic: str = ""
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReturnedMail:
    """The facts of one mail.

    Attributes:
        headers: by name in small letters, every value as it stands, unfolded.
        content_type: of the mail as a whole, such as `multipart/report`.
        report_type: `delivery-status`, `disposition-notification` or `feedback-report`, from the header or the parts.
        text: what the mail itself says to a person, without the copy of a message.
        reports: one for each recipient of a delivery report.
        envelope_id: `Original-Envelope-Id` of a delivery report.
        returned_ids: `Message-ID` of the copies of messages in it.
        returned_senders: envelope addresses in those copies.
        disposition: of a read receipt.
        feedback_type: of a feedback report (RFC 5965), such as `abuse`.
        failed: addresses that a library of known bounces found failed for good.
        delayed: addresses it found failed for the moment.
        is_readable: whether the mail could be taken apart within the limits.
    """

    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    content_type: str = "text/plain"
    report_type: str = ""
    text: str = ""
    reports: tuple[DeliveryReport, ...] = ()
    envelope_id: str = ""
    returned_ids: tuple[str, ...] = ()
    returned_senders: tuple[str, ...] = ()
    disposition: str = ""
    feedback_type: str = ""
    failed: tuple[str, ...] = ()
    delayed: tuple[str, ...] = ()
    is_readable: bool = True

    def header(self, name: str) -> str:
        """Return the first value of a header, blank when there is none."""
        return next(iter(self.headers.get(name, ())), "")
