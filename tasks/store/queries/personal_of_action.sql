select personal_fields.*
from personal_fields
join audit_events using (sequence)
where action_id = $action_id
order by sequence, field
