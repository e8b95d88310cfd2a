-- What a release needs of the messages that have not left yet, without what they say.
select
    message_id,
    channel,
    document_path,
    document_sha256,
    json_extract_string(payload, '$.customer.email') as email,
    json_extract_string(payload, '$.customer.country') as country,
    json_extract_string(payload, '$.items[*].action_id') as action_ids
from messages
where batch_id = $batch_id and status in ('planned', 'composed')
order by message_id
