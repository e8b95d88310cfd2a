-- Messages of which nobody could tell whether they left, and what settled each: what was said since the last doubt.
with doubted as (
    select
        (payload ->> 'message_id') as message_id,
        (payload ->> 'batch_id') as batch_id,
        any_value(customer_id) as customer_id,
        count(distinct action_id) as items,
        min(try_cast((payload ->> 'on') as date)) as uncertain_on,
        arg_max((payload ->> 'answer'), sequence) as answer,
        min(sequence) as sequence,
        max(sequence) as last_sequence
    from events
    where kind = 'action_uncertain'
    group by all
),
settled as (
    select
        (payload ->> 'message_id') as message_id,
        (payload ->> 'batch_id') as batch_id,
        sequence as settled_sequence,
        case payload ->> 'left' when 'yes' then 'left' else 'did not leave' end as settled_as,
        actor as settled_by,
        try_cast((payload ->> 'on') as date) as settled_on,
        (payload ->> 'evidence') as settled_why
    from events
    where kind = 'delivery_resolved'
)
select
    doubted.* exclude (last_sequence),
    messages.status,
    settled.* exclude (message_id, batch_id, settled_sequence)
from doubted
left join (select message_id, batch_id, status from messages) as messages using (message_id, batch_id)
left join settled
    on settled.message_id = doubted.message_id
    and settled.batch_id = doubted.batch_id
    and settled.settled_sequence > doubted.last_sequence
order by doubted.sequence
