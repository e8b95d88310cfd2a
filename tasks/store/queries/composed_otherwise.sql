-- Where an action or its message is not what the last event that composed it in its batch says: which fields differ.
-- What the event does not hold says nothing, nor does an address once it is erased. Actions are found before messages:
-- all at once, they may be joined by their batch alone, each with each.
with composed as (
    select
        sequence,
        kind,
        action_id,
        customer_id,
        payload,
        json_extract_string(payload, '$.batch_id') as batch_id
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
            case when json_extract_string(acted.payload, '$.message_id') is distinct from acted.message_id and json_extract_string(acted.payload, '$.message_id') is not null then 'message_id' end,
            case when json_extract_string(acted.payload, '$.as_of') is distinct from cast(acted.proposed_on as varchar) and json_extract_string(acted.payload, '$.as_of') is not null then 'proposed_on' end,
            case when json_extract_string(acted.payload, '$.step') is distinct from acted.step and json_extract_string(acted.payload, '$.step') is not null then 'step' end,
            case when json_extract_string(acted.payload, '$.attempt') is distinct from cast(acted.attempt as varchar) and json_extract_string(acted.payload, '$.attempt') is not null then 'attempt' end,
            case when json_extract_string(acted.payload, '$.invoice_number') is distinct from acted.invoice_number and json_extract_string(acted.payload, '$.invoice_number') is not null then 'invoice_number' end,
            case when json_extract_string(acted.payload, '$.installment') is distinct from acted.installment and json_extract_string(acted.payload, '$.installment') is not null then 'installment' end,
            case when json_extract_string(acted.payload, '$.channel') is distinct from acted.channel and json_extract_string(acted.payload, '$.channel') is not null then 'channel' end,
            case when json_extract_string(acted.payload, '$.currency') is distinct from acted.currency and json_extract_string(acted.payload, '$.currency') is not null then 'currency' end,
            case when json_extract_string(acted.payload, '$.channel') is distinct from worded.channel and json_extract_string(acted.payload, '$.channel') is not null then 'channel of the message' end,
            case when json_extract_string(acted.payload, '$.currency') is distinct from worded.currency and json_extract_string(acted.payload, '$.currency') is not null then 'currency of the message' end,
            case when json_extract_string(acted.payload, '$.message_step') is distinct from worded.step and json_extract_string(acted.payload, '$.message_step') is not null then 'step of the message' end,
            case when json_extract_string(acted.payload, '$.language') is distinct from worded.language and json_extract_string(acted.payload, '$.language') is not null then 'language' end,
            case when json_extract_string(acted.payload, '$.document') is distinct from worded.document_path and json_extract_string(acted.payload, '$.document') is not null then 'document_path' end,
            case when json_extract_string(acted.payload, '$.document_sha256') is distinct from worded.document_sha256 and json_extract_string(acted.payload, '$.document_sha256') is not null then 'document_sha256' end,
            case when json_extract_string(acted.payload, '$.template_sha256') is distinct from worded.template_sha256 and json_extract_string(acted.payload, '$.template_sha256') is not null then 'template_sha256' end,
            case when acted.customer_id is distinct from acted.of_customer and acted.customer_id is not null then 'customer_id' end,
            case when acted.customer_id is distinct from worded.customer_id and acted.customer_id is not null then 'customer of the message' end,
            case when try_cast(json_extract_string(acted.payload, '$.amount_open') as decimal(18, 3)) is distinct from acted.amount_open and try_cast(json_extract_string(acted.payload, '$.amount_open') as decimal(18, 3)) is not null then 'amount_open' end,
            case when try_cast(json_extract_string(acted.payload, '$.amount_demanded') as decimal(18, 3)) is distinct from acted.amount_demanded and try_cast(json_extract_string(acted.payload, '$.amount_demanded') as decimal(18, 3)) is not null then 'amount_demanded' end,
            case when try_cast(json_extract_string(acted.payload, '$.charges.fees') as decimal(18, 3)) is distinct from acted.fees and try_cast(json_extract_string(acted.payload, '$.charges.fees') as decimal(18, 3)) is not null then 'fees' end,
            case when try_cast(json_extract_string(acted.payload, '$.total') as decimal(18, 3)) is distinct from try_cast(json_extract_string(worded.payload, '$.total') as decimal(18, 3)) and try_cast(json_extract_string(acted.payload, '$.total') as decimal(18, 3)) is not null then 'total' end,
            case
                when json_extract_string(acted.payload, '$.address_hash') is null and coalesce(worded.address, '') <> ''
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
