-- The events of a stretch of the log that seal something, or something under this name; the newest first.
select sequence, kind, payload
from audit_events
where sequence between $first and $last and contains(payload, $told)
order by sequence desc
