-- Every row of a file that lists all items of its source, and every row that states a balance.
select customer_id, invoice_number, installment, intake_id, balance_date, amount_open
from invoice_lines
join counted_intakes using (intake_id)
where (kind in ('full_open_items', 'full_invoices') or amount_open is not null)
    and not (coalesce(is_opening, false) and drops_opening)
