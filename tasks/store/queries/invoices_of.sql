-- The invoice numbers that only this customer has.
select distinct invoice_number
from invoice_lines
where customer_id = $customer_id
    and invoice_number not in (select invoice_number from invoice_lines where customer_id <> $customer_id)
order by invoice_number
