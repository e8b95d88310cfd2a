update actions
set status = $status, ended_on = $ended_on, ended_at = $ended_at
from ended_messages
where actions.message_id = ended_messages.message_id
    and actions.batch_id = $batch_id
