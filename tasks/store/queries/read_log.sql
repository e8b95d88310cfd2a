select *
from (
    select *
    from audit_events
    where ($kind is null or kind = $kind)
        and ($customer_id is null or customer_id = $customer_id)
        and ($action_id is null or action_id = $action_id)
        and ($run_id is null or run_id = $run_id)
        and (cast($since as timestamptz) is null or recorded_at >= cast($since as timestamptz))
        and (cast($until as timestamptz) is null or recorded_at < cast($until as timestamptz))
    order by sequence desc
    limit $newest
)
order by sequence
