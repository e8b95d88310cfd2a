-- Where an action or its message is not what the last event that composed it in its batch says: which fields differ.
-- What the event does not hold says nothing, nor does an address once it is erased.
with composed as (
    select
        sequence,
        kind,
        action_id,
        customer_id,
        json_extract_string(payload, '$.batch_id') as batch_id,
        json_extract_string(payload, '$.address_hash') as address_hash,
        json_extract_string(payload, [
            '$.message_id', '$.as_of', '$.step', '$.attempt', '$.invoice_number', '$.installment', '$.channel',
            '$.currency', '$.channel', '$.currency', '$.message_step', '$.language', '$.document',
            '$.document_sha256', '$.template_sha256'
        ]) as told,
        [
            cast(try_cast(amount as decimal(18, 3)) as varchar)
            for amount in json_extract_string(
                payload, ['$.amount_open', '$.amount_demanded', '$.charges.fees', '$.total']
            )
        ] as told_amounts
    from audit_events
    where kind in ('action_composed', 'document_replaced') and json_valid(payload)
    qualify row_number() over (partition by action_id, batch_id order by sequence desc) = 1
),
worded as (
    select
        *,
        try_cast(json_extract_string(payload, '$.total') as decimal(18, 3)) as total,
        case channel
            when 'email' then json_extract_string(payload, '$.customer.email')
            when 'call' then json_extract_string(payload, '$.customer.phone')
            else concat_ws(
                ', ',
                array_to_string(cast(json_extract(payload, '$.customer.address_lines') as varchar[]), ', '),
                concat_ws(
                    ' ',
                    json_extract_string(payload, '$.customer.postcode'),
                    json_extract_string(payload, '$.customer.city')
                ),
                json_extract_string(payload, '$.customer.country')
            )
        end as address
    from messages
    where json_valid(payload)
),
compared as (
    select
        composed.sequence,
        composed.kind,
        actions.batch_id,
        actions.action_id,
        list_zip(
            [
                'message_id', 'proposed_on', 'step', 'attempt', 'invoice_number', 'installment', 'channel', 'currency',
                'channel of the message', 'currency of the message', 'step of the message', 'language',
                'document_path', 'document_sha256', 'template_sha256', 'customer_id', 'customer of the message',
                'amount_open', 'amount_demanded', 'fees', 'total', 'address'
            ],
            told || [composed.customer_id, composed.customer_id] || told_amounts || [
                -- Spaces between the parts of an address say nothing; a field without a hash was empty.
                regexp_replace(case when address_hash is null then '' else field.value end, '[\s\pZ,]', '', 'g')
            ],
            [
                actions.message_id, cast(actions.proposed_on as varchar), actions.step, cast(actions.attempt as varchar),
                actions.invoice_number, actions.installment, actions.channel, actions.currency,
                worded.channel, worded.currency, worded.step, worded.language,
                worded.document_path, worded.document_sha256, worded.template_sha256,
                actions.customer_id, worded.customer_id,
                cast(actions.amount_open as varchar), cast(actions.amount_demanded as varchar),
                cast(actions.fees as varchar), cast(worded.total as varchar),
                regexp_replace(worded.address, '[\s\pZ,]', '', 'g')
            ]
        ) as fields
    from composed
    join actions using (action_id, batch_id)
    join worded on worded.message_id = actions.message_id and worded.batch_id = actions.batch_id
    left join personal_fields as field on field.sequence = composed.sequence and field.field = 'address'
)
select
    sequence,
    kind,
    batch_id,
    action_id,
    [field[1] for field in fields if field[2] is not null and field[2] is distinct from field[3]] as differing
from compared
where len(differing) > 0
order by sequence
