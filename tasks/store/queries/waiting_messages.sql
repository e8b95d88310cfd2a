select batch_id, status
from messages
where customer_id = $customer_id and status in ('planned', 'composed', 'uncertain')
order by batch_id
