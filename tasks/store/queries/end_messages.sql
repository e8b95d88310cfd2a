-- Ends what has not left: a dispatched message stays dispatched.
update messages
set status = $status, changed_at = $ended_at
from ending_messages
where messages.message_id = ending_messages.message_id
    and messages.batch_id = $batch_id
    and messages.status in ('planned', 'composed', 'uncertain')
returning messages.message_id
