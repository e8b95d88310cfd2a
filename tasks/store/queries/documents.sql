-- The latest version of each item.
with lines as (
    select invoice_lines.*, document_order
    from invoice_lines
    join counted_intakes using (intake_id)
    where not (coalesce(is_opening, false) and drops_opening)
),
latest as (
    select customer_id, invoice_number, installment, max(document_order) as document_order
    from lines
    group by all
)
select lines.*
from lines
semi join latest using (customer_id, invoice_number, installment, document_order)
