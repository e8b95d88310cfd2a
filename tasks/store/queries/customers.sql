-- Of each customer and attribute the latest value that was stated at all; stated as blank is unknown in the end.
select customer_id, {attributes}
from (
    select customer_lines.*, customer_order * 4294967296 + coalesce(line_number, 0) as statement_order
    from customer_lines
    join counted_intakes using (intake_id)
)
group by customer_id
order by customer_id
