-- Of each customer and attribute the latest value that was stated at all; stated as blank is unknown in the end.
with statements as (
    select customer_lines.*, file_date, customer_order * 4294967296 + line_number as statement_order
    from customer_lines
    join counted_intakes using (intake_id)
),
current as (
    select customer_id, {attributes}
    from statements
    group by customer_id
),
-- The last statement of another address: the one that counts has been stated since then. The only address ever
-- stated has no such date: what came back from it came back, whenever the file that states it was loaded.
other_email as (
    select customer_id, max(statement_order) as other_order
    from statements
    join current using (customer_id)
    where statements.email is not null and nullif(statements.email, '') is distinct from current.email
    group by customer_id
),
since as (
    select customer_id, min(file_date) as email_since
    from statements
    join other_email using (customer_id)
    where email is not null and statement_order > other_order
    group by customer_id
)
select current.*, email_since
from current
left join since using (customer_id)
order by customer_id
