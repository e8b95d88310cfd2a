select batch_id, currency, count(*) as items, sum(amount_demanded) as amount_demanded
from actions
group by batch_id, currency
order by batch_id, currency
