-- What left: what `actions*.csv` says of the time before, numbered here, and our own actions, numbered when proposed.
with before as (
    select customer_id, invoice_number, installment, step, dispatch_date, channel, outcome
    from action_lines
    join counted_intakes using (intake_id)
    qualify row_number() over (
        partition by customer_id, invoice_number, installment, step, dispatch_date
        order by document_order desc, line_number desc
    ) = 1
)
select
    *,
    cast(null as decimal(18, 3)) as fee,
    row_number() over (partition by customer_id, invoice_number, installment, step order by dispatch_date) as attempt
from before
union all by name
select customer_id, invoice_number, installment, step, dispatch_date, channel, cast(null as varchar) as outcome, fees as fee, attempt
from actions
where dispatch_date is not null
    and (cast($known_at as timestamptz) is null or dispatched_at <= cast($known_at as timestamptz))
order by customer_id, invoice_number, installment, dispatch_date, step
