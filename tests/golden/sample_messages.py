"""Messages to invented customers, with what each kind of document has to show."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from policies.creditor import Creditor, parse
from policies.messages import (
    InformationItem,
    InterestPeriod,
    ItemCharges,
    Message,
    MessageItem,
    PastStep,
    Recipient,
)

ROOT = Path(__file__).parents[2]
TEMPLATES = [ROOT / "templates"]
AS_OF = date(2026, 8, 31)
LAW = "articles L441-10 II et D441-5 du code de commerce"

FRENCH = Recipient(
    customer_id="C-001",
    customer_name="Menuiserie Delaunay",
    legal_form="SARL",
    contact_name="Mme Anne Lefèvre",
    email="compta@delaunay.example",
    phone="+33 2 41 00 00 00",
    address_lines=("Bâtiment C", "14 rue du Port"),
    postcode="49000",
    city="Angers",
    country="FR",
    registration_id="987654324",
)
BRITISH = Recipient(
    customer_id="C-002",
    customer_name="Thistle & Crown Fittings",
    legal_form="Ltd",
    email="ap@thistle.example",
    address_lines=("Unit 4, Harbour Road",),
    postcode="LS1 4AP",
    city="Leeds",
    country="GB",
)


def creditor() -> Creditor:
    """The creditor of the shipped example, with a person who signs."""
    text = (ROOT / "policies" / "creditor_example.yaml").read_text(encoding="utf-8")
    signed = "\nsignatory: {name: Claire Morel, title: Directrice financière}\n"
    return parse(text + signed)


def item(number: int, *, charges: bool, days_late: int = 43, disputed: str = "0") -> MessageItem:
    """One invoice, partly paid."""
    due = AS_OF - timedelta(days=days_late)
    opened = Decimal("1000.00") + number
    return MessageItem(
        invoice_number=f"FA-{number:04}",
        invoice_date=due - timedelta(days=30),
        due_date=due,
        days_past_due=days_late,
        amount=opened + 200,
        amount_paid=Decimal("200.00"),
        amount_open=opened,
        amount_disputed=Decimal(disputed),
        amount_demanded=opened - Decimal(disputed),
        step="formal_notice",
        action_id=f"action-{number}",
        description="Portes coupe-feu",
        purchase_order="BC-77",
        delivery_date=date(2026, 6, 15),
        delivery_place="Nantes",
        delivery_reference="BL-99",
        charges=_charges(due, days_late, opened) if charges else ItemCharges(),
    )


def _charges(due: date, days: int, base: Decimal) -> ItemCharges:
    period = InterestPeriod(
        from_date=due + timedelta(days=1),
        to_date=AS_OF,
        days=days,
        annual_rate=Decimal("0.1240"),
        base=base,
        amount=Decimal("14.61"),
        source="",
    )
    return ItemCharges(
        late_interest=Decimal("14.61"),
        recovery_charge=Decimal("40.00"),
        periods=(period,),
        daily_interest=Decimal("0.34"),
        statute="FR",
        legal_basis=LAW,
    )


def message(
    step: str = "formal_notice",
    channel: str = "registered_letter",
    language: str = "fr",
    items: int = 2,
    *,
    customer: Recipient = FRENCH,
    charges: bool = True,
    currency: str = "EUR",
    days_late: int = 43,
    disputed: str = "0",
    charges_note: str = "",
    unapplied: str = "0",
) -> Message:
    """A message of `items` invoices; the second is disputed by the amount given."""
    listed = tuple(
        item(number, charges=charges, days_late=days_late, disputed=disputed if number == 2 else "0")
        for number in range(1, items + 1)
    )
    principal = sum((one.amount_demanded for one in listed), Decimal(0))
    interest = sum((one.charges.late_interest for one in listed), Decimal(0))
    recovery = sum((one.charges.recovery_charge for one in listed), Decimal(0))
    return Message(
        message_id="0123456789abcdef0123456789abcdef",
        batch_id="2026-08-31-1",
        as_of=AS_OF,
        customer=customer,
        currency=currency,
        language=language,
        step=step,
        template="call" if step == "call_supervisor" else step,
        channel=channel,
        by="supervisor" if step in {"call_supervisor", "escalation_call"} else "",
        agency="default" if channel == "agency" else "",
        answer_by=date(2026, 9, 8) if step in {"formal_notice", "final_demand"} else None,
        items=listed,
        information_items=_information() if step == "reminder_2" else (),
        past_steps=_past_steps(step),
        unapplied_amount=Decimal(unapplied),
        total_principal=principal,
        total_late_interest=interest,
        total_recovery_charge=recovery,
        total=principal + interest + recovery,
        charges_note=charges_note,
        policy="standard_fr",
        policy_hash="",
    )


def _information() -> tuple[InformationItem, ...]:
    return (
        InformationItem(
            invoice_number="FA-0099",
            invoice_date=date(2026, 7, 31),
            due_date=date(2026, 8, 30),
            amount_open=Decimal("90.00"),
            reason="contact_gap",
        ),
    )


def _past_steps(step: str) -> tuple[PastStep, ...]:
    if step in {"courtesy", "survey", "reminder_1"}:
        return ()
    called = PastStep(
        invoice_number="FA-0001", step="call_1", channel="call", dispatch_date=date(2026, 8, 27)
    )
    return (
        PastStep(
            invoice_number="FA-0001", step="reminder_1", channel="email", dispatch_date=date(2026, 7, 20)
        ),
        PastStep(
            invoice_number="FA-0001", step="reminder_2", channel="email", dispatch_date=date(2026, 7, 28)
        ),
        *([called] if step.endswith("_mail") else []),
    )
