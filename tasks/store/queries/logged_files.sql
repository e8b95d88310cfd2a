-- The last event of each batch, or of one, that says which files hold several of its messages.
select
    json_extract_string(payload, '$.batch_id') as batch_id,
    sequence,
    kind,
    json_extract_string(payload, '$.files') as files
from audit_events
where kind in ('batch_files_composed', 'batch_files_replaced')
    and json_valid(payload)
    and ($batch_id is null or json_extract_string(payload, '$.batch_id') = $batch_id)
qualify row_number() over (partition by batch_id order by sequence desc) = 1
order by sequence
