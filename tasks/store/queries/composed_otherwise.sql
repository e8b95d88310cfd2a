-- Where an action or its message is not what the last event that composed it in its batch says: which fields differ.
-- What the event does not hold says nothing, nor does an address once it is erased. Actions are found before messages:
-- all at once, they may be joined by their batch alone, each with each.
with composed as (
    select
        sequence,
        kind,
        action_id,
        customer_id,
        json_extract_string(payload, '$.batch_id') as batch_id,
        json_extract_string(payload, [
            '$.message_id', '$.as_of', '$.step', '$.attempt', '$.invoice_number',
            '$.installment', '$.channel', '$.currency', '$.message_step', '$.language',
            '$.document', '$.document_sha256', '$.template_sha256', '$.amount_open', '$.amount_demanded',
            '$.charges.fees', '$.total', '$.address_hash'
        ]) as told
    from audit_events
    where kind in ('action_composed', 'document_replaced') and json_valid(payload)
    qualify row_number() over (partition by action_id, batch_id order by sequence desc) = 1
),
acted as materialized (
    select
        actions.*,
        composed.sequence,
        composed.kind,
        composed.customer_id as told_customer_id,
        told[1] as told_message_id,
        told[2] as told_proposed_on,
        told[3] as told_step,
        told[4] as told_attempt,
        told[5] as told_invoice_number,
        told[6] as told_installment,
        told[7] as told_channel,
        told[8] as told_currency,
        told[9] as told_message_step,
        told[10] as told_language,
        told[11] as told_document_path,
        told[12] as told_document_sha256,
        told[13] as told_template_sha256,
        try_cast(told[14] as decimal(18, 3)) as told_amount_open,
        try_cast(told[15] as decimal(18, 3)) as told_amount_demanded,
        try_cast(told[16] as decimal(18, 3)) as told_fees,
        try_cast(told[17] as decimal(18, 3)) as told_total,
        told[18] as told_address_hash
    from composed
    join actions using (action_id, batch_id)
),
worded as (
    -- Spaces between the parts of an address say nothing; a field without a hash was empty.
    select
        *,
        try_cast(json_extract_string(payload, '$.total') as decimal(18, 3)) as total,
        regexp_replace(
            case channel
                when 'email' then json_extract_string(payload, '$.customer.email')
                when 'call' then json_extract_string(payload, '$.customer.phone')
                else concat_ws(
                    '',
                    array_to_string(cast(json_extract(payload, '$.customer.address_lines') as varchar[]), ''),
                    json_extract_string(payload, '$.customer.postcode'),
                    json_extract_string(payload, '$.customer.city'),
                    json_extract_string(payload, '$.customer.country')
                )
            end,
            '[\s\pZ,]', '', 'g'
        ) as address
    from messages
    where json_valid(payload)
),
compared as (
    select
        acted.sequence,
        acted.kind,
        acted.batch_id,
        acted.action_id,
        -- A comparison with what the event does not hold is null, and left out.
        concat_ws(
            ', ',
            case when told_message_id <> coalesce(acted.message_id, '') then 'message_id' end,
            case when told_proposed_on <> coalesce(cast(acted.proposed_on as varchar), '') then 'proposed_on' end,
            case when told_step <> coalesce(acted.step, '') then 'step' end,
            case when told_attempt <> coalesce(cast(acted.attempt as varchar), '') then 'attempt' end,
            case when told_invoice_number <> coalesce(acted.invoice_number, '') then 'invoice_number' end,
            case when told_installment <> coalesce(acted.installment, '') then 'installment' end,
            case when told_channel <> coalesce(acted.channel, '') then 'channel' end,
            case when told_currency <> coalesce(acted.currency, '') then 'currency' end,
            case when told_message_step <> coalesce(worded.step, '') then 'step of the message' end,
            case when told_language <> coalesce(worded.language, '') then 'language' end,
            case when told_document_path <> coalesce(worded.document_path, '') then 'document_path' end,
            case when told_document_sha256 <> coalesce(worded.document_sha256, '') then 'document_sha256' end,
            case when told_template_sha256 <> coalesce(worded.template_sha256, '') then 'template_sha256' end,
            case when told_channel <> coalesce(worded.channel, '') then 'channel of the message' end,
            case when told_currency <> coalesce(worded.currency, '') then 'currency of the message' end,
            case when told_customer_id <> coalesce(acted.customer_id, '') then 'customer_id' end,
            case when told_customer_id <> coalesce(worded.customer_id, '') then 'customer of the message' end,
            case when told_amount_open <> coalesce(acted.amount_open, -1) then 'amount_open' end,
            case when told_amount_demanded <> coalesce(acted.amount_demanded, -1) then 'amount_demanded' end,
            case when told_fees <> coalesce(acted.fees, -1) then 'fees' end,
            case when told_total <> coalesce(worded.total, -1) then 'total' end,
            case
                when told_address_hash is null and coalesce(worded.address, '') <> '' then 'address'
                when regexp_replace(field.value, '[\s\pZ,]', '', 'g') <> coalesce(worded.address, '') then 'address'
            end
        ) as differing
    from acted
    join worded on worded.message_id = acted.message_id and worded.batch_id = acted.batch_id
    left join personal_fields as field on field.sequence = acted.sequence and field.field = 'address'
)
select sequence, kind, batch_id, action_id, string_split(differing, ', ') as differing
from compared
where differing <> ''
order by sequence
