-- When the bytes of each file were last taken in or refused, and whether it is mail or a list that came back.
-- Events of before `came_back` was noted tell lists by their source, where it has the name of our own words.
select
    (payload ->> 'sha256') as sha256,
    max(cast(coalesce((payload ->> 'as_of'), (payload ->> 'on')) as date)) as last_on,
    bool_and(
        kind not in ('file_loaded', 'file_refused')
        or (payload ->> 'came_back') is not null
        or coalesce((payload ->> 'source') in ('tracking', 'agency_report'), false)
    ) as is_return
from audit_events
where (payload ->> 'sha256') is not null and coalesce((payload ->> 'as_of'), (payload ->> 'on')) is not null
group by all
