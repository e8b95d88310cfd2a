update actions
set status = case when kind = 'failed' then 'composed' else kind end,
    dispatch_date = case when kind = 'dispatched' then "on" end,
    dispatched_at = case when kind = 'dispatched' then recorded_at end,
    ended_on = case when kind = 'dispatched' then "on" end,
    ended_at = case when kind = 'dispatched' then recorded_at end,
    uncertain_on = case kind when 'uncertain' then "on" when 'dispatched' then uncertain_on end,
    uncertain_at = case kind when 'uncertain' then recorded_at when 'dispatched' then uncertain_at end
from journal_outcomes
where actions.message_id = journal_outcomes.message_id
    and actions.batch_id = $batch_id
    and actions.message_id in (select message_id from taken_messages)
