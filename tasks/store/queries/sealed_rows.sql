-- The rows of groups of a table: of those between the bounds, or of those asked for among them.
-- No join: that would disturb the order in which they mostly stand already.
select *
from {table}
where {key} between $least and $most and ($asked is null or list_contains($asked, {key}))
