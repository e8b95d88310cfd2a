-- Rows of an incoming file that change what must not change of a known item (each column is its own row).
with known as (
    select customer_id, invoice_number, installment, currency, invoice_date, file_name
    from invoice_lines
    join intakes using (intake_id)
    where not coalesce(is_opening, false)
        -- A ledger replaces what it said of the same year.
        and not (kind = 'ledger' and source = $source and fiscal_year is not distinct from $fiscal_year)
),
differing as (
    select
        incoming.line_number,
        incoming.currency,
        known.currency as known_currency,
        incoming.invoice_date,
        known.invoice_date as known_invoice_date,
        known.file_name
    from incoming_invoices as incoming
    join known using (customer_id, invoice_number, installment)
    where not coalesce(incoming.is_opening, false)
        and (incoming.currency <> known.currency or incoming.invoice_date <> known.invoice_date)
)
select line_number as line, 'currency' as "column", any_value(currency) as "value", any_value(known_currency) as known, min(file_name) as file_name
from differing
where currency <> known_currency
group by line_number
union all
select line_number, 'invoice_date', cast(any_value(invoice_date) as varchar), cast(any_value(known_invoice_date) as varchar), min(file_name)
from differing
where invoice_date <> known_invoice_date
group by line_number
order by line, "column"
