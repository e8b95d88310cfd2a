-- Numbers only: who a customer is stays in the store, where it can be erased.
select customer_id, min(as_of) as known_since, max(as_of) as last_stated_on
from customer_lines
join intakes using (intake_id)
group by customer_id
order by customer_id
