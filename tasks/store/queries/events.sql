-- Each event once, in its latest wording; numbered in the order in which they first became known, so that a file
-- that says old events again changes nothing.
with latest as (
    select
        event_lines.*,
        document_order,
        min(intake_id * 4294967296 + coalesce(line_number, 0)) over (partition by event_id) as known_order
    from event_lines
    join counted_intakes using (intake_id)
    qualify row_number() over (partition by event_id order by document_order desc, line_number desc) = 1
)
select *, row_number() over (order by known_order, event_id) as sequence
from latest
order by sequence
