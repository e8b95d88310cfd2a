-- What came back of messages to customers, and the address of the one that left, where a number stands in two batches.
select
    returns.customer_id,
    returns.message_id,
    returns.kind,
    returns.outcome,
    coalesce(
        arg_max(
            cast(payload as json) -> 'customer' ->> 'email',
            (messages.status in ('dispatched', 'uncertain'), coalesce(changed_at, '-infinity'), batch_id)
        ),
        ''
    ) as written_to
from returns
join asked_customers using (customer_id)
join messages using (message_id)
group by returns.customer_id, returns.message_id, returns.kind, returns.outcome, returns.sequence
order by returns.sequence
