-- For each day and item of a customer, why it was not contacted: a hold, or what became of the message that was drafted.
with bounds as (
    select
        coalesce(cast($first as date), min(as_of)) as first_day,
        coalesce(cast($last as date), max(as_of)) as last_day
    from decisions
),
days as (
    select cast(unnest(generate_series(first_day, last_day, interval 1 day)) as date) as day from bounds
),
run_days as (
    select distinct as_of as day from decisions
),
known as (
    select min(since) as known_since
    from (
        select min(known_since) as since from customers where customer_id = $customer
        union all
        select min(as_of) from decisions where customer_id = $customer
        union all
        select min(cast(recorded_at as date)) from events where customer_id = $customer
    )
),
withdrawn as (
    select action_id, (payload ->> 'batch_id') as batch_id, arg_max((payload ->> 'why'), sequence) as why
    from events
    where kind = 'action_withdrawn'
    group by all
),
drafted as (
    select
        actions.invoice_number,
        actions.installment,
        actions.step,
        actions.proposed_on,
        case actions.status
            when 'dispatched' then 'contacted'
            when 'rejected' then 'batch_rejected'
            when 'withdrawn' then 'withdrawn'
            when 'uncertain' then 'uncertain'
            else 'waiting'
        end as reason,
        case actions.status
            when 'dispatched' then concat(actions.step, ' left on ', dispatch_date, ' by ', actions.channel, '.')
            when 'rejected' then concat('Batch ', batch_id, ' was rejected by ', rejected_by, ': ', reject_why)
            when 'withdrawn' then concat('Withdrawn from batch ', batch_id, ': ', coalesce(why, 'refused by the mail server'))
            when 'uncertain' then concat('Nobody knows whether ', actions.step, ' left; batch ', batch_id, '.')
            else concat('In batch ', batch_id, ', which has not left.')
        end as sentence
    from actions
    left join (select batch_id, rejected_by, reject_why from batches) using (batch_id)
    left join withdrawn using (action_id, batch_id)
    where customer_id = $customer
)
select
    case when (select known_since from known) is not null then days.day end as day,
    decided.invoice_number,
    decided.installment,
    case
        when (select known_since from known) is null then 'unknown_customer'
        when run_days.day is null then 'no_run'
        when decided.invoice_number is null then 'nothing_open'
        when decided.act then coalesce(drafted.reason, 'not_drafted')
        else decided.reason
    end as reason,
    case
        when (select known_since from known) is null then 'No customer of this number was ever loaded.'
        when run_days.day is null then 'No run decided anything for this day.'
        when decided.invoice_number is null then
            case
                when days.day < (select known_since from known) then 'The customer was not known yet.'
                else 'Nothing of this customer was open.'
            end
        when decided.act then coalesce(drafted.sentence, concat(decided.step, ' was due; an earlier run of the day had drafted it.'))
        else decided.sentence
    end as sentence,
    decided.step,
    decided.days_past_due,
    decided.amount_open,
    decided.currency
from days
left join run_days using (day)
left join (select * from decisions where customer_id = $customer) as decided on decided.as_of = days.day
left join drafted
    on drafted.invoice_number = decided.invoice_number
    and drafted.installment = decided.installment
    and drafted.step = decided.step
    and drafted.proposed_on = decided.as_of
where (select known_since from known) is not null or days.day = (select first_day from bounds)
order by days.day, decided.invoice_number, decided.installment
