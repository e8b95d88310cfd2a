-- What has ended stays so. An uncertain message can still be found to have left, or surely not to have. The last word
-- of a journal counts whatever its clock said, for clocks are set back; the very same word was taken in before.
update messages
set status = case when kind = 'failed' then 'composed' else kind end,
    dispatched_on = case when kind = 'dispatched' then journal_outcomes."on" end,
    provider_answer = journal_outcomes.answer,
    changed_at = journal_outcomes.recorded_at
from journal_outcomes
where messages.message_id = journal_outcomes.message_id
    and messages.batch_id = $batch_id
    and messages.status in ('planned', 'composed', 'uncertain')
    and (
        messages.changed_at is distinct from journal_outcomes.recorded_at
        or messages.status <> case when kind = 'failed' then 'composed' else kind end
    )
returning messages.message_id
