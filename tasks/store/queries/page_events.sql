select *
from audit_events
where sequence > $after
order by sequence, hash
limit $page_rows
