-- Proposed actions that wait, have left or may have left already: only a withdrawn or rejected one comes again.
select actions.action_id, actions.batch_id
from actions
semi join proposed_actions using (action_id)
where status not in ('withdrawn', 'rejected')
order by actions.batch_id, actions.action_id
