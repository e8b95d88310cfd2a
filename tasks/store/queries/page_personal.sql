select personal_fields.*, audit_events.payload
from personal_fields
left join audit_events using (sequence)
order by sequence, field
limit $page_rows offset $offset_rows
