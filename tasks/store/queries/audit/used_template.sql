-- Which actions were worded by a version of a template: by its hash, the beginning of it, or the step.
select
    try_cast((payload ->> 'as_of') as date) as as_of,
    customer_id,
    (payload ->> 'invoice_number') as invoice_number,
    (payload ->> 'message_step') as message_step,
    (payload ->> 'channel') as channel,
    (payload ->> 'language') as language,
    (payload ->> 'template_sha256') as template_sha256,
    status,
    dispatch_date,
    (payload ->> 'document_sha256') as document_sha256,
    events.action_id,
    sequence
from events
left join (select action_id, batch_id, status, dispatch_date from actions) as actions
    on actions.action_id = events.action_id and actions.batch_id = (payload ->> 'batch_id')
where kind in ('action_composed', 'document_replaced')
    and (starts_with((payload ->> 'template_sha256'), $template) or (payload ->> 'message_step') = $template)
order by sequence
