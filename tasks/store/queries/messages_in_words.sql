-- Whom messages are for and which invoices they are about, for sentences that a person acts on.
select
    message_id,
    any_value(customer_id) as customer_id,
    list_sort(list(distinct invoice_number)) as invoices
from actions
join asked_messages using (message_id)
group by message_id
order by message_id
