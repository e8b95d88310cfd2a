-- Which messages claimed interest at a rate: by series, half-year or the fraction itself, as the document says it.
with composed as (
    select *, unnest(cast(payload -> '$.charges.periods' as json[])) as period
    from events
    where kind in ('action_composed', 'document_replaced')
)
select
    try_cast((payload ->> 'as_of') as date) as as_of,
    customer_id,
    (payload ->> 'invoice_number') as invoice_number,
    (payload ->> 'step') as step,
    (period ->> 'source') as source,
    (period ->> 'annual_rate') as annual_rate,
    try_cast((period ->> 'from_date') as date) as from_date,
    try_cast((period ->> 'to_date') as date) as to_date,
    (period ->> 'base') as base,
    (period ->> 'amount') as amount,
    (payload ->> 'currency') as currency,
    status,
    dispatch_date,
    (payload ->> 'document_sha256') as document_sha256,
    composed.action_id,
    sequence
from composed
left join (select action_id, batch_id, status, dispatch_date from actions) as actions
    on actions.action_id = composed.action_id and actions.batch_id = (payload ->> 'batch_id')
where contains(lower(period ->> 'source'), lower($rate))
    or try_cast((period ->> 'annual_rate') as decimal(18, 8)) = try_cast($rate as decimal(18, 8))
order by sequence, from_date
