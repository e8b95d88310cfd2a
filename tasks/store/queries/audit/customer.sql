-- Everything that happened with a customer, by date: its own events, those of the batches it was in, and what was
-- decided, each stretch of days with the same answer in one row.
with own_events as (
    select * from events where customer_id = $customer
),
batch_events as (
    select *
    from events
    where customer_id is null
        and kind like 'batch%'
        and (payload ->> 'batch_id') in (select batch_id from messages where customer_id = $customer)
),
items as (
    select action_id, any_value(payload ->> 'invoice_number') as invoice_number
    from own_events
    where kind in ('action_composed', 'document_replaced')
    group by action_id
),
told as (
    select
        coalesce(
            try_cast((payload ->> 'as_of') as date),
            try_cast((payload ->> 'on') as date),
            try_cast((payload ->> 'event_date') as date),
            cast(recorded_at as date)
        ) as day,
        kind as what,
        coalesce((payload ->> 'invoice_number'), invoice_number) as invoice_number,
        case
            when kind in ('action_composed', 'document_replaced') then
                concat_ws(' ', (payload ->> 'step'), 'by', (payload ->> 'channel'), 'demands', (payload ->> 'amount_demanded'), (payload ->> 'currency'))
            when kind = 'event_recorded' then
                concat_ws(' ', (payload ->> 'kind'), (payload ->> 'amount'), 'until ' || (payload ->> 'until'), (payload ->> 'reason'))
            when kind = 'credit_hold_changed' then concat_ws(': ', (payload ->> 'action'), (payload ->> 'why'))
            when kind like 'batch%' then
                concat_ws(': ', (payload ->> 'batch_id'), (payload ->> 'status'), nullif(array_to_string(payload ->> '$.guards[*].sentence', ' '), ''), (payload ->> 'why'))
            else concat_ws(': ', (payload ->> 'batch_id'), coalesce((payload ->> 'why'), (payload ->> 'answer'), (payload ->> 'evidence')))
        end as detail,
        actor as who,
        (payload ->> 'document') as document,
        (payload ->> 'document_sha256') as document_sha256,
        (payload ->> 'policy_hash') as policy_hash,
        action_id,
        sequence,
        recorded_at
    from (from own_events union all by name from batch_events)
    left join items using (action_id)
),
marked as (
    select
        *,
        row_number() over item - row_number() over answer as stretch
    from decisions
    where customer_id = $customer
    window
        item as (partition by invoice_number, installment order by as_of),
        answer as (partition by invoice_number, installment, act, step, reason order by as_of)
),
decided as (
    select
        min(as_of) as day,
        case when act then 'decided_to_act' else 'decided_not_to_act' end as what,
        invoice_number,
        concat(
            case when act then step else reason end,
            case when max(as_of) > min(as_of) then concat(' (until ', max(as_of), ')') end,
            ': ',
            arg_max(sentence, as_of)
        ) as detail,
        'policy' as who
    from marked
    group by invoice_number, installment, act, step, reason, stretch
)
select day, what, invoice_number, detail, who, document, document_sha256, policy_hash, action_id, sequence, recorded_at
from (from told union all by name from decided)
order by day, sequence is not null, sequence, invoice_number
