-- Personal fields that events say they have, that are no longer beside the log, and that no later erasure covers.
with stated as (
    select sequence, customer_id, unnest(cast(payload -> 'personal' as varchar[])) as field
    from audit_events
    where payload like '%"personal":[%' and json_valid(payload) and json_type(payload, '$.personal') = 'ARRAY'
),
erasures as (
    select customer_id, max(sequence) as last_erasure
    from audit_events
    where kind = 'personal_data_erased'
    group by customer_id
)
select stated.sequence, stated.field
from stated
anti join personal_fields using (sequence, field)
left join erasures on erasures.customer_id = stated.customer_id
where last_erasure is null or last_erasure < stated.sequence
order by stated.sequence, stated.field
