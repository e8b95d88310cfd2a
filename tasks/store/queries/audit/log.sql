-- The newest events that fit all filters given, oldest first.
select *
from (
    select *
    from events
    where ($customer is null or customer_id = $customer)
        and ($kind is null or kind = $kind)
        and ($run is null or run_id = $run)
    order by sequence desc
    limit coalesce($newest, 9223372036854775807)
)
order by sequence
