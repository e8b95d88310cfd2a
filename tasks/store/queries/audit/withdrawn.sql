-- What was drafted and did not leave: withdrawn before release, refused by a server, or rejected with its batch.
with ended as (
    select action_id, (payload ->> 'batch_id') as batch_id, kind, (payload ->> 'why') as why, (payload ->> 'answer') as answer, actor, sequence
    from events
    where kind in ('action_withdrawn', 'action_refused')
    qualify row_number() over (partition by action_id, (payload ->> 'batch_id') order by sequence desc) = 1
)
select
    ended_on,
    customer_id,
    invoice_number,
    step,
    actions.channel,
    amount_demanded,
    currency,
    actions.status,
    coalesce(why, answer, reject_why) as why,
    coalesce(rejected_by, actor) as who,
    batch_id,
    action_id,
    sequence
from actions
left join ended using (action_id, batch_id)
left join (select batch_id, rejected_by, reject_why from batches) using (batch_id)
where actions.status in ('withdrawn', 'rejected')
order by ended_on, customer_id, invoice_number
