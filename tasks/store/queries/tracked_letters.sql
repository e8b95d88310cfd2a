-- Letters that have left, by number or by the name of their file.
with letters as (
    select message_id, dispatched_on, regexp_extract(document_path, '[^/]+$') as file_name
    from messages
    where channel in ('letter', 'registered_letter') and status = 'dispatched'
),

named as (
    select
        stated_letters.*,
        letters.message_id as found_id,
        letters.dispatched_on,
        count(distinct letters.message_id) over (partition by stated_letters.line_number) as named
    from stated_letters
    left join letters
        on coalesce(stated_letters.message_id = letters.message_id, stated_letters.document = letters.file_name)
)

select
    named.message_id as stated_id,
    named.found_id as message_id,
    named.document,
    named.tracking_number,
    named.status,
    named.status_date,
    named.proof_ref,
    named.line_number,
    named.dispatched_on,
    named.named,
    actions.action_id,
    actions.customer_id,
    actions.invoice_number,
    actions.installment
from named
left join actions on actions.message_id = named.found_id and actions.status = 'dispatched'
order by named.line_number, actions.action_id
