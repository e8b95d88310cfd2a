-- Who decided on batches; a batch that needed nobody's approval says so.
with decided as (
    select
        (payload ->> 'batch_id') as batch_id,
        kind as decision,
        coalesce((payload ->> 'by'), actor) as decided_by,
        try_cast((payload ->> 'on') as date) as decided_on,
        recorded_at,
        (payload ->> 'why') as why,
        sequence
    from events
    where regexp_matches(kind, '^(batch|approval)_.*(approv|reject|expire)') and (payload ->> 'batch_id') is not null
),
demanded as (
    select batch_id, string_agg(concat(regexp_replace(cast(amount as varchar), '(\.[0-9]{2})0$', '\1'), ' ', currency), ', ' order by currency) as demands
    from (select batch_id, currency, sum(amount_demanded) as amount from actions group by batch_id, currency)
    group by batch_id
)
select
    batches.batch_id,
    batches.as_of,
    batches.status,
    case
        when decision is not null then decision
        when approval_required then 'waits_for_approval'
        else 'no_approval_needed'
    end as decision,
    decided_by,
    decided_on,
    why,
    batches.customers,
    batches.messages,
    demands,
    guard_sentence,
    policy,
    policy_hash,
    released_on,
    recorded_at,
    sequence
from (select * exclude (recorded_at) from batches) as batches
left join decided using (batch_id)
left join demanded using (batch_id)
where $batch is null or batches.batch_id = $batch
order by batches.as_of, batches.batch_id, sequence
