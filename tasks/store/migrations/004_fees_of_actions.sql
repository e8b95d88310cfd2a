-- The fees that stood with each item in its message: what later messages state again.
alter table actions add column fees decimal(18, 3);

update actions
set fees = stated.fees
from (
    select message_id, batch_id, item ->> 'action_id' as action_id, cast(item -> 'charges' ->> 'fees' as decimal(18, 3)) as fees
    from (
        select message_id, batch_id, unnest(cast(payload -> 'items' as json[])) as item
        from messages
        where payload not like '%"total_fees":"0"%'
    )
) as stated
where actions.message_id = stated.message_id
    and actions.batch_id = stated.batch_id
    and actions.action_id = stated.action_id;
