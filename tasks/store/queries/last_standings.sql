-- The last standing of each account that was recorded up to a day.
select customer_id, currency, risk, blocked_since, watches
from account_standings
join standings using (standing_id)
where as_of <= cast($until as date)
qualify row_number() over (partition by customer_id, currency order by as_of desc, standing_id desc) = 1
order by customer_id, currency
