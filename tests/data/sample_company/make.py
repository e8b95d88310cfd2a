"""Makes the files of the sample company that can't be edited as text: the workbooks and the invoice PDFs.

`python tests/data/sample_company/make.py` writes the same bytes each time; every other file is edited by hand.
"""

import csv
import io
import re
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path

import openpyxl
import typst

HERE = Path(__file__).parent
INVOICED = ("FA26-0063", "FA26-0006", "FA26-0031")

# Invoice, customer, issued, due, amount, what for, and the day it was paid.
QUEBEC = (
    (
        "Q-1101",
        "00205",
        date(2026, 1, 28),
        date(2026, 2, 27),
        "1840.00",
        "Plaque de cuisson",
        date(2026, 3, 12),
    ),
    ("Q-1102", "00205", date(2026, 3, 9), date(2026, 4, 8), "2210.00", "Four à convection", date(2026, 4, 2)),
    ("Q-1103", "00206", date(2026, 1, 25), date(2026, 2, 24), "960.50", "Écumoires et louches", None),
    (
        "Q-1104",
        "00206",
        date(2026, 2, 27),
        date(2026, 4, 28),
        "1310.00",
        "Évaporateur, pièces",
        date(2026, 4, 9),
    ),
    ("Q-1105", "00206", date(2026, 3, 31), date(2026, 4, 30), "745.25", "Balance de comptoir", None),
    ("Q-1106", "00205", date(2026, 4, 20), date(2026, 5, 20), "3125.00", "Comptoir réfrigéré", None),
)
VANISHED = ("Q-1103", date(2026, 3, 16))
WORKBOOK_DAYS = (date(2026, 3, 4), date(2026, 3, 16), date(2026, 4, 7), date(2026, 5, 5))

LAYOUT = """
#set document(title: "{number}", date: datetime(year: {d.year}, month: {d.month}, day: {d.day}))
#set page(paper: "a5", margin: 18mm)
#set text(lang: "fr", size: 10pt)
*Brévanne Équipement SAS* \\ 21 rue des Ateliers, 37000 Tours \\ SIREN 123 456 782, TVA FR11123456782
= Facture {number}
#sys.inputs.customer \\
{issued} – échéance {due}
#table(columns: (1fr, auto), [Désignation], [Montant TTC], [#sys.inputs.description], [{amount} {currency}])
IBAN FR76 3000 6000 0112 3456 7890 189
"""


def make_workbook(day: date) -> bytes:
    """Return the workbook as it stood on a day."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Factures"
    sheet.append(["Bureau de Québec", None, day])
    sheet.append(
        ["Facture", "Client", "Émise le", "Échéance", "Montant", "Objet", "Payée le", "Montant payé"]
    )
    for number, customer, issued, due, amount, goods, paid in QUEBEC:
        if issued > day or (number == VANISHED[0] and day >= VANISHED[1]):
            continue
        is_paid = paid is not None and paid <= day
        settled = [paid, Decimal(amount)] if is_paid else [None, None]
        sheet.append([number, customer, issued, due, Decimal(amount), goods, *settled])
    written = io.BytesIO()
    book.save(written)
    return without_clock(written.getvalue())


def without_clock(workbook: bytes) -> bytes:
    """Return the workbook without the times at which it was written."""
    steady = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook)) as old,
        zipfile.ZipFile(steady, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in sorted(old.namelist()):
            part = old.read(name)
            if name == "docProps/core.xml":
                part = re.sub(rb">[0-9-]+T[0-9:]+Z<", b">2026-01-01T00:00:00Z<", part)
            new.writestr(zipfile.ZipInfo(name), part, zipfile.ZIP_DEFLATED)
    return steady.getvalue()


def make_invoice(row: dict[str, str]) -> bytes:
    """Return a plain invoice as PDF."""
    due = date.fromisoformat(row["due_date"]).strftime("%d/%m/%Y")
    issued = date.fromisoformat(row["invoice_date"])
    text = LAYOUT.format(
        number=row["invoice_number"],
        d=issued,
        issued=issued.strftime("%d/%m/%Y"),
        due=due,
        amount=row["amount"],
        currency=row["currency"],
    )
    inputs = {"customer": row["customer_name"], "description": row["description"]}
    pdf = typst.compile(text.encode(), format="pdf", sys_inputs=inputs)
    assert isinstance(pdf, bytes)
    return pdf


def main() -> None:
    """Write the workbooks and the PDFs beside this script."""
    for day in WORKBOOK_DAYS:
        (HERE / f"days/{day}/inbox/quebec-{day}.xlsx").write_bytes(make_workbook(day))
    opening = (HERE / "days/2026-03-02/inbox/invoices.csv").read_text(encoding="utf-8")
    rows = {
        row["invoice_number"]: row
        for row in csv.DictReader(io.StringIO(opening))
        if row["installment"] in {"", "1"}
    }
    for number in INVOICED:
        (HERE / f"documents/{number}.pdf").write_bytes(make_invoice(rows[number]))


if __name__ == "__main__":
    main()
