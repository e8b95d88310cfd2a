select message_id, channel, document_path
from messages
where customer_id = $customer_id
order by message_id
