select payload, status, document_path, document_sha256, template_sha256, dispatched_on, provider_answer
from messages
where batch_id = $batch_id and ($status is null or status = $status)
order by message_id
