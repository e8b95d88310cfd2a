select
    message_id,
    batch_id,
    customer_id,
    channel,
    status,
    coalesce(cast(payload as json) -> 'customer' ->> 'email', '') as written_to
from messages
join asked_messages using (message_id)
qualify row_number() over (
    partition by message_id
    order by status in ('dispatched', 'uncertain') desc, changed_at desc nulls last, batch_id desc
) = 1
order by message_id
