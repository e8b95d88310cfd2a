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
    select composed.*, actions.* exclude (action_id, batch_id, customer_id), actions.customer_id as of_customer
    from composed
    join actions using (action_id, batch_id)
),
worded as (
    -- Spaces between the parts of an address say nothing; a field without a hash was empty.
    select
        *,
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
        concat_ws(
            ', ',
            case when told[1] is distinct from acted.message_id and told[1] is not null then 'message_id' end,
            case when told[2] is distinct from cast(acted.proposed_on as varchar) and told[2] is not null then 'proposed_on' end,
            case when told[3] is distinct from acted.step and told[3] is not null then 'step' end,
            case when told[4] is distinct from cast(acted.attempt as varchar) and told[4] is not null then 'attempt' end,
            case when told[5] is distinct from acted.invoice_number and told[5] is not null then 'invoice_number' end,
            case when told[6] is distinct from acted.installment and told[6] is not null then 'installment' end,
            case when told[7] is distinct from acted.channel and told[7] is not null then 'channel' end,
            case when told[8] is distinct from acted.currency and told[8] is not null then 'currency' end,
            case when told[7] is distinct from worded.channel and told[7] is not null then 'channel of the message' end,
            case when told[8] is distinct from worded.currency and told[8] is not null then 'currency of the message' end,
            case when told[9] is distinct from worded.step and told[9] is not null then 'step of the message' end,
            case when told[10] is distinct from worded.language and told[10] is not null then 'language' end,
            case when told[11] is distinct from worded.document_path and told[11] is not null then 'document_path' end,
            case when told[12] is distinct from worded.document_sha256 and told[12] is not null then 'document_sha256' end,
            case when told[13] is distinct from worded.template_sha256 and told[13] is not null then 'template_sha256' end,
            case when acted.customer_id is distinct from acted.of_customer and acted.customer_id is not null then 'customer_id' end,
            case when acted.customer_id is distinct from worded.customer_id and acted.customer_id is not null then 'customer of the message' end,
            case when try_cast(told[14] as decimal(18, 3)) is distinct from acted.amount_open and try_cast(told[14] as decimal(18, 3)) is not null then 'amount_open' end,
            case when try_cast(told[15] as decimal(18, 3)) is distinct from acted.amount_demanded and try_cast(told[15] as decimal(18, 3)) is not null then 'amount_demanded' end,
            case when try_cast(told[16] as decimal(18, 3)) is distinct from acted.fees and try_cast(told[16] as decimal(18, 3)) is not null then 'fees' end,
            case when try_cast(told[17] as decimal(18, 3)) is distinct from try_cast(json_extract_string(worded.payload, '$.total') as decimal(18, 3)) and try_cast(told[17] as decimal(18, 3)) is not null then 'total' end,
            case
                when told[18] is null and coalesce(worded.address, '') <> ''
                    or regexp_replace(field.value, '[\s\pZ,]', '', 'g') is distinct from worded.address and field.value is not null
                    then 'address'
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
