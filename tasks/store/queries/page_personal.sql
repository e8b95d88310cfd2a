select personal_fields.*, audit_events.payload
from personal_fields
left join audit_events using (sequence)
where personal_fields.sequence between $first and $last
order by personal_fields.sequence, personal_fields.field
