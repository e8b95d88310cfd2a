select
    batches.*,
    (select count(*) from messages where messages.batch_id = batches.batch_id) as messages,
    (select count(*) from actions where actions.batch_id = batches.batch_id) as actions,
    (select count(distinct customer_id) from messages where messages.batch_id = batches.batch_id) as customers
from batches
where $status is null or batches.status = $status
order by as_of desc, batch_id
