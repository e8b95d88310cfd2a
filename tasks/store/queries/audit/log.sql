-- The events that fit all filters given.
select *
from events
where ($customer is null or customer_id = $customer)
    and ($kind is null or kind = $kind)
    and ($run is null or run_id = $run)
