-- Actions under a policy whose text was another one later: what they were decided by is no longer what stands there.
with stated as (
    select
        sequence,
        coalesce(try_cast((payload ->> 'as_of') as date), cast(recorded_at as date)) as day,
        (payload ->> 'policy') as policy,
        (payload ->> 'policy_hash') as policy_hash
    from events
    where (payload ->> 'policy_hash') is not null
),
newest as (
    select policy, arg_max(policy_hash, sequence) as newest_hash
    from stated
    group by policy
),
changed as (
    select stated.policy, stated.policy_hash, max(sequence) as last_sequence
    from stated
    group by all
),
followed as (
    select changed.policy, changed.policy_hash, min(stated.day) as changed_on
    from changed
    join stated on stated.policy = changed.policy and stated.sequence > changed.last_sequence
    group by all
)
select
    try_cast((payload ->> 'as_of') as date) as as_of,
    customer_id,
    (payload ->> 'invoice_number') as invoice_number,
    (payload ->> 'step') as step,
    status,
    dispatch_date,
    followed.policy,
    followed.policy_hash,
    changed_on,
    newest_hash,
    events.action_id,
    events.sequence
from events
join followed on followed.policy = (payload ->> 'policy') and followed.policy_hash = (payload ->> 'policy_hash')
join newest on newest.policy = followed.policy and newest.newest_hash <> followed.policy_hash
left join (select action_id, batch_id, status, dispatch_date from actions) as actions
    on actions.action_id = events.action_id and actions.batch_id = (payload ->> 'batch_id')
where events.kind = 'action_composed'
order by events.sequence
