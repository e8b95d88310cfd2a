-- The last day on which anything is known to have happened with each customer that has personal data left.
with days as (
    select customer_id, greatest(invoice_date, due_date, balance_date) as day from invoice_lines
    union all
    select customer_id, payment_date from payment_lines
    union all
    select customer_id, greatest(event_date, until) from event_lines
    union all
    select customer_id, coalesce(dispatch_date, ended_on, proposed_on) from actions
    union all
    select customer_id, as_of from customer_lines join intakes using (intake_id) where states_customers
)
select customer_id, max(day) as last_on
from days
where customer_id is not null
group by customer_id
having max(day) is not null
order by customer_id
