-- What a person was shown when approving: the digest of what would leave then, and of the guards' sentences.
alter table approvals add column if not exists shown varchar;
