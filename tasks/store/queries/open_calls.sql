-- Calls handed out before a day whose outcome has not been told by then: they are listed again.
select messages.payload
from messages
where messages.channel = 'call'
    and messages.status = 'dispatched'
    and messages.dispatched_on < $as_of
    and not exists (
        select 1
        from event_lines
        where event_lines.kind = 'call_outcome'
            and event_lines.customer_id = messages.customer_id
            and event_lines.event_date between messages.dispatched_on and $as_of
    )
order by messages.dispatched_on, messages.message_id
