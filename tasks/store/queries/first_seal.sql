-- The first event that seals anything.
select min(sequence) from audit_events where contains(payload, '"sealed":{')
