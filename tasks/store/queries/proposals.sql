-- Items in batches, as known at an instant: what became known later has not happened yet.
with known as (
    select
        *,
        cast($known_at as timestamptz) is null or ended_at <= cast($known_at as timestamptz) as end_is_known,
        cast($known_at as timestamptz) is null or uncertain_at <= cast($known_at as timestamptz) as doubt_is_known
    from actions
    where cast($known_at as timestamptz) is null or proposed_at <= cast($known_at as timestamptz)
)
select
    customer_id,
    invoice_number,
    installment,
    step,
    proposed_on as proposed_date,
    case when end_is_known then ended_on end as ended_date,
    case when doubt_is_known and (ended_at is null or not end_is_known) then uncertain_on end as uncertain_date
from known
order by customer_id, invoice_number, installment, proposed_date, step
