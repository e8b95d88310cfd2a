-- Each event once, in its latest wording; numbered in the order in which they became known.
with latest as (
    select event_lines.*, document_order
    from event_lines
    join counted_intakes using (intake_id)
    qualify row_number() over (partition by event_id order by document_order desc, line_number desc) = 1
)
select *, row_number() over (order by intake_id, line_number, event_id) as sequence
from latest
order by sequence
