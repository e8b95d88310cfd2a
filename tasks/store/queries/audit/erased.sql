-- Erasures of personal data: whose, what, by whom and why. What was erased stands nowhere.
select
    try_cast((payload ->> 'on') as date) as erased_on,
    customer_id,
    (payload ->> 'ground') as ground,
    (payload ->> 'by') as by,
    (payload ->> 'why') as why,
    cast(payload -> 'rows' as varchar) as rows,
    json_array_length(payload -> 'documents') as documents,
    actor,
    recorded_at,
    sequence
from events
where kind in ('personal_data_erased', 'files_erased', 'return_fields_erased')
order by sequence
