-- Messages of which nobody could tell whether they left, and what settled each.
with doubted as (
    select
        (payload ->> 'message_id') as message_id,
        (payload ->> 'batch_id') as batch_id,
        any_value(customer_id) as customer_id,
        count(distinct action_id) as items,
        min(try_cast((payload ->> 'on') as date)) as uncertain_on,
        arg_max((payload ->> 'answer'), sequence) as why,
        min(sequence) as sequence
    from events
    where kind = 'action_uncertain'
    group by all
),
settled as (
    select
        (payload ->> 'message_id') as message_id,
        (payload ->> 'batch_id') as batch_id,
        arg_max(try_cast((payload ->> 'on') as date), sequence) as resolved_on,
        arg_max(actor, sequence) as resolved_by,
        arg_max((payload ->> 'left'), sequence) as has_left,
        arg_max((payload ->> 'evidence'), sequence) as evidence
    from events
    where kind = 'delivery_resolved'
    group by all
)
select doubted.*, messages.status, resolved_on, resolved_by, has_left, evidence
from doubted
left join (select message_id, batch_id, status from messages) as messages using (message_id, batch_id)
left join settled using (message_id, batch_id)
order by doubted.sequence
