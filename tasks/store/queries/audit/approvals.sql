-- Who decided on batches, and what ended a word again; a batch that needed nobody's approval says so.
with decided as (
    select
        (payload ->> 'batch_id') as batch_id,
        kind as decision,
        coalesce((payload ->> 'by'), actor) as decided_by,
        try_cast((payload ->> 'on') as date) as decided_on,
        recorded_at,
        coalesce((payload ->> 'why'), nullif(array_to_string(payload ->> '$.guards[*].sentence', ' '), '')) as why,
        (payload ->> '$.names[*]') as ended_names,
        sequence
    from events
    where kind in (
        'batch_approved', 'batch_rejected', 'batch_sent_back', 'batch_given_up', 'approval_expired', 'approval_ended'
    )
),
ended as (
    select approved.sequence, bool_or(ending.sequence is not null) as has_ended
    from decided as approved
    left join decided as ending
        on ending.batch_id = approved.batch_id
        and ending.sequence > approved.sequence
        and (
            ending.decision in ('batch_sent_back', 'batch_given_up', 'batch_rejected', 'approval_expired')
            or (ending.decision = 'approval_ended' and list_contains(ending.ended_names, approved.decided_by))
        )
    where approved.decision = 'batch_approved'
    group by approved.sequence
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
    not has_ended as counts,
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
left join ended using (sequence)
left join demanded using (batch_id)
where $batch is null or batches.batch_id = $batch
order by batches.as_of, batches.batch_id, sequence
