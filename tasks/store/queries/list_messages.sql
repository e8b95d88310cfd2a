select * exclude (payload)
from messages
where $batch_id is null or batch_id = $batch_id
order by batch_id, message_id
