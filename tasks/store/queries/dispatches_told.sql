-- Of each action: what the store says of its dispatch, and what the log says. An action that neither knows is left out.
with told as (
    select
        action_id,
        count(*) as times,
        max(sequence) as sequence,
        max_by(payload ->> 'on', sequence) as dispatch_date
    from audit_events
    where kind = 'action_dispatched' and action_id is not null and json_valid(payload)
    group by action_id
),
stated as (
    select action_id, count(*) as times, max(cast(dispatch_date as varchar)) as dispatch_date
    from actions
    where dispatch_date is not null
    group by action_id
)
select
    action_id,
    stated.times as stated_times,
    stated.dispatch_date as stated_date,
    told.times as told_times,
    told.dispatch_date as told_date,
    told.sequence
from stated
full join told using (action_id)
where stated.times is distinct from 1
    or told.times is distinct from 1
    or stated.dispatch_date is distinct from told.dispatch_date
order by action_id
