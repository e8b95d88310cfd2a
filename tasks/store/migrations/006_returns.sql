-- What came back by mail. A mail is known by its bytes (the first of them) and by its headers, each hashed: no name
-- and no address stands here.
create table returns (
    sequence bigint not null,
    return_id varchar not null,
    headers_hash varchar not null,
    source varchar not null,
    kind varchar not null,
    rule varchar not null,
    status varchar not null,
    evidence varchar not null,
    message_id varchar,
    customer_id varchar,
    outcome varchar not null,
    as_of date not null,
    run_id varchar not null,
    recorded_at timestamptz not null
);

-- How far a mailbox was read: the highest number of a mail, as long as the mailbox counts by the same validity.
create table mailboxes (
    mailbox varchar not null,
    validity bigint not null,
    last_uid bigint not null,
    recorded_at timestamptz not null
);
