-- How many rows each group has in a table. The bounds spare reading what lies outside them.
select '{table}' as table_name, {key} as group_id, count(*) as "rows"
from {table}
where $asked is null or ({key} between $least and $most and list_contains($asked, {key}))
group by {key}
