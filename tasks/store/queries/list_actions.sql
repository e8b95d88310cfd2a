select actions.*, messages.language, messages.document_path
from actions
join messages using (message_id, batch_id)
where $batch_id is null or actions.batch_id = $batch_id
order by actions.batch_id, actions.message_id, actions.action_id
