-- What left on a day, and what may have left: one row per item of a message.
with handed_over as (
    select action_id, (payload ->> 'batch_id') as batch_id, arg_max((payload ->> 'document_sha256'), sequence) as document_sha256
    from events
    where kind in ('action_dispatched', 'action_uncertain')
    group by all
)
select
    customer_id,
    invoice_number,
    installment,
    step,
    actions.channel,
    amount_demanded,
    actions.currency,
    actions.status,
    batch_id,
    approved_by,
    actions.document_path,
    handed_over.document_sha256,
    provider_answer,
    coalesce(dispatched_at, uncertain_at) as left_at,
    message_id,
    action_id
from actions
left join (select message_id, batch_id, provider_answer from messages) using (message_id, batch_id)
left join (select batch_id, approved_by from batches) using (batch_id)
left join handed_over using (action_id, batch_id)
where dispatch_date = $day or (actions.status = 'uncertain' and uncertain_on = $day)
order by customer_id, batch_id, message_id, invoice_number, installment
