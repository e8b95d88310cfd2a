-- A word on a batch can expire or be asked for again: what no longer counts is kept, with the reason.
-- `channel` and `login` say how a name was claimed; `reference` names the answer of a form, so that it is taken once.
alter table approvals add column if not exists channel varchar;
alter table approvals add column if not exists login varchar;
alter table approvals add column if not exists reference varchar;
alter table approvals add column if not exists ended_on date;
alter table approvals add column if not exists ended_why varchar;

-- Since when a batch waits (null = since it was drafted), and how often it was sent back to wait.
alter table batches add column if not exists waits_since date;
alter table batches add column if not exists sent_back integer default 0;
