select
    returns.customer_id,
    returns.message_id,
    returns.kind,
    coalesce(any_value(cast(payload as json) -> 'customer' ->> 'email'), '') as written_to
from returns
join asked_customers using (customer_id)
join messages using (message_id)
group by returns.customer_id, returns.message_id, returns.kind, returns.sequence
order by returns.sequence
