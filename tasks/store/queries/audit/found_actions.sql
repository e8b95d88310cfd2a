-- Actions by the beginning of their number, or of a customer.
select *
from actions
where ($begins is null or starts_with(action_id, $begins))
    and ($customer is null or customer_id = $customer)
order by proposed_at, message_id, invoice_number, installment
