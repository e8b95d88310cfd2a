-- How accounts stood when a run looked: credit hold, risk class, watched changes. Rows are only added, and only for
-- accounts that stand otherwise than before. One row of standings for each look, also when nothing differed.
create table standings (
    standing_id bigint not null,
    as_of date not null,
    habit_rules varchar not null,
    policy_hash varchar not null,
    run_id varchar not null,
    recorded_at timestamptz not null
);

create table account_standings (
    standing_id bigint not null,
    customer_id varchar not null,
    currency varchar not null,
    risk varchar,
    blocked_since date,
    watches varchar not null
);
