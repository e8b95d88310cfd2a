-- When the bytes of each file were last taken in or refused; what is no export came back from customers.
select
    (payload ->> 'sha256') as sha256,
    max(cast(coalesce((payload ->> 'as_of'), (payload ->> 'on')) as date)) as last_on,
    bool_and(kind not in ('file_loaded', 'file_refused')) as is_return
from audit_events
where (payload ->> 'sha256') is not null and coalesce((payload ->> 'as_of'), (payload ->> 'on')) is not null
group by all
