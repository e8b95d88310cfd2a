-- Of each payment the rows of the newest file that names it: it is replaced whole.
with lines as (
    select payment_lines.*, document_order
    from payment_lines
    join counted_intakes using (intake_id)
    where not (coalesce(is_opening, false) and drops_opening)
),
latest as (
    select payment_id, max(document_order) as document_order
    from lines
    group by payment_id
)
select lines.*
from lines
semi join latest using (payment_id, document_order)
order by payment_date, payment_id, line_number
