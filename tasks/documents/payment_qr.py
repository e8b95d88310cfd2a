"""The code that a banking application reads to fill in a transfer (EPC069-12, version 002, euro only)."""

import io
from decimal import Decimal

import segno

from policies.creditor import Creditor
from tasks.documents.safe_text import one_line

_LARGEST_AMOUNT = Decimal("999999999.99")
_LARGEST_PAYLOAD_BYTES = 331
_LARGEST_QR_VERSION = 13


def payment_code(creditor: Creditor, amount: Decimal, currency: str, reference: str) -> str:
    """Return the content of the code, or nothing where the standard has none for this payment."""
    if currency != "EUR" or not Decimal("0.01") <= amount <= _LARGEST_AMOUNT:
        return ""
    bank = creditor.bank
    lines = [
        "BCD",
        "002",
        "1",  # UTF-8
        "SCT",
        bank.bic or "",
        one_line(bank.account_holder or creditor.legal_name)[:70],
        bank.iban,
        f"EUR{amount.quantize(Decimal('0.01'))}",
        "",
        "",
        one_line(reference)[:140],
    ]
    payload = "\n".join(lines)
    return payload if len(payload.encode()) <= _LARGEST_PAYLOAD_BYTES else ""


def draw_png(code: str) -> bytes:
    """Return the code as a picture for a mail."""
    buffer = io.BytesIO()
    _symbol(code).save(buffer, kind="png", scale=4, border=4)
    return buffer.getvalue()


def draw_svg(code: str) -> str:
    """Return the code as a drawing for a letter."""
    buffer = io.BytesIO()
    _symbol(code).save(buffer, kind="svg", border=0, xmldecl=False, svgns=True, omitsize=True)
    return buffer.getvalue().decode()


def _symbol(code: str) -> segno.QRCode:
    # The standard allows error level M only. The mask is given: every mask is read alike, and trying all eight
    # takes longer than setting the letter.
    symbol = segno.make(
        code, error="m", boost_error=False, micro=False, mode="byte", encoding="utf-8", mask=3
    )
    if int(symbol.version) > _LARGEST_QR_VERSION:
        raise ValueError("a payment code is larger than the standard allows")
    return symbol
