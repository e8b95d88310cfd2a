select *
from audit_events
where sequence between $first and $last
order by sequence, hash
