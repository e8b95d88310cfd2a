-- The files that count: of a ledger's fiscal year only the newest one. Orders say which of two statements is the later.
with known as (
    select *
    from intakes
    where cast($known_at as timestamptz) is null or recorded_at <= cast($known_at as timestamptz)
),
counted as (
    select *, cast(left(fiscal_year, 4) as integer) as fiscal_calendar_year
    from known
    qualify
        kind <> 'ledger'
        or row_number() over (partition by source, kind, fiscal_year order by file_date desc, intake_id desc) = 1
)
select
    intake_id,
    source,
    kind,
    file_date,
    carries_payments,
    carries_balances,
    row_number() over (order by file_date, intake_id) as document_order,
    row_number() over (order by file_date, states_customers, intake_id) as customer_order,
    -- Opening entries repeat what the year before said, where that year is loaded itself.
    kind = 'ledger' and exists (
        select 1
        from counted as before
        where before.kind = 'ledger'
            and before.source = counted.source
            and before.fiscal_year < counted.fiscal_year
            and before.fiscal_calendar_year >= counted.fiscal_calendar_year - 1
    ) as drops_opening
from counted
order by intake_id
