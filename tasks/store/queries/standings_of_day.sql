-- Every standing that was recorded on a day, in the order in which it was.
select standing_id, customer_id, currency, risk, blocked_since, watches
from account_standings
join standings using (standing_id)
where as_of = cast($as_of as date)
order by standing_id, customer_id, currency
