-- Files that arrived: loaded with their counts, or refused.
select
    try_cast((payload ->> 'as_of') as date) as as_of,
    (payload ->> 'file') as file,
    replace(kind, 'file_', '') as fate,
    (payload ->> 'source') as source,
    try_cast((payload ->> 'file_date') as date) as file_date,
    cast(payload -> 'rows' as varchar) as rows,
    try_cast((payload ->> 'problems') as integer) as problems,
    (payload ->> 'sha256') as sha256,
    recorded_at,
    sequence
from events
where kind in ('file_loaded', 'file_refused')
order by sequence
