-- Personal fields that events say they have, that are no longer beside the log, and that no later erasure covers.
with stated as (
    select sequence, kind, customer_id, try_cast(payload ->> 'on' as date) as stated_on, unnest(cast(payload -> 'personal' as varchar[])) as field
    from audit_events
    where payload like '%"personal":[%' and json_valid(payload) and json_type(payload, '$.personal') = 'ARRAY'
),
erasures as (
    select customer_id, max(sequence) as last_erasure
    from audit_events
    where kind = 'personal_data_erased'
    group by customer_id
),
erasures_of_returns as (
    select sequence as erased_by, try_cast(payload ->> 'taken_in_by' as date) as taken_in_by
    from audit_events
    where kind = 'return_fields_erased' and json_valid(payload)
)
select stated.sequence, stated.field
from stated
anti join personal_fields using (sequence, field)
left join erasures on erasures.customer_id = stated.customer_id
where (last_erasure is null or last_erasure < stated.sequence)
    and not (
        stated.kind = 'mail_returned'
        and stated.customer_id is null
        and exists (from erasures_of_returns where erased_by > stated.sequence and taken_in_by >= stated.stated_on)
    )
order by stated.sequence, stated.field
