-- The events that seal something, oldest first.
select sequence, kind, run_id, payload
from audit_events
where payload like '%"sealed":{%'
order by sequence
