-- Events of an action, of a customer, or of some kinds.
select *
from events
where ($action is null or action_id = $action)
    and ($customer is null or customer_id = $customer)
    and ($kinds is null or list_contains($kinds, kind))
order by sequence
