-- What was loaded, decided and done. Amounts are DECIMAL(18,3) beside a currency; instants are UTC.
-- No primary keys: the writers of tasks/store look before they insert, so that DuckLake can hold the same tables.

create table meta (
    schema_version integer not null,
    head_sequence bigint not null,
    head_hash varchar not null
);
insert into meta values (0, 0, '');

create table intakes (
    intake_id bigint not null,
    source varchar not null,
    kind varchar not null,
    file_name varchar not null,
    sha256 varchar not null,
    file_date date not null,
    fiscal_year varchar,
    carries_payments boolean not null,
    carries_balances boolean not null,
    lists_invoices boolean not null,
    states_customers boolean not null,
    as_of date not null,
    run_id varchar not null,
    recorded_at timestamptz not null,
    counts varchar not null
);

create table invoice_lines (
    intake_id bigint not null,
    customer_id varchar not null,
    invoice_number varchar not null,
    installment varchar not null,
    document_type varchar not null,
    invoice_date date,
    due_date date,
    due_date_assumed boolean,
    currency varchar not null,
    amount decimal(18, 3),
    amount_open decimal(18, 3),
    balance_date date,
    credited_invoice_number varchar,
    description varchar,
    delivery_date date,
    delivery_place varchar,
    delivery_reference varchar,
    purchase_order varchar,
    payment_method varchar,
    is_opening boolean,
    line_number bigint
);

create table customer_lines (
    intake_id bigint not null,
    customer_id varchar not null,
    customer_name varchar,
    email varchar,
    language varchar,
    country varchar,
    address_line_1 varchar,
    address_line_2 varchar,
    address_line_3 varchar,
    address_line_4 varchar,
    postcode varchar,
    city varchar,
    phone varchar,
    registration_id varchar,
    vat_id varchar,
    legal_form varchar,
    contact_name varchar,
    account_manager varchar,
    customer_type varchar,
    credit_rating varchar,
    credit_limit varchar,
    payment_method varchar,
    tags varchar,
    line_number bigint
);

create table payment_lines (
    intake_id bigint not null,
    payment_id varchar not null,
    customer_id varchar not null,
    payment_date date,
    currency varchar not null,
    amount decimal(18, 3),
    invoice_number varchar,
    installment varchar,
    reference varchar,
    is_opening boolean,
    line_number bigint
);

create table event_lines (
    intake_id bigint not null,
    event_id varchar not null,
    event_date date not null,
    kind varchar not null,
    customer_id varchar,
    invoice_number varchar,
    installment varchar,
    amount decimal(18, 3),
    until date,
    reference varchar,
    reason varchar,
    note varchar,
    actor varchar,
    line_number bigint
);

create table action_lines (
    intake_id bigint not null,
    customer_id varchar not null,
    invoice_number varchar not null,
    installment varchar not null,
    step varchar not null,
    dispatch_date date not null,
    channel varchar,
    outcome varchar,
    line_number bigint
);

create table batches (
    batch_id varchar not null,
    as_of date not null,
    kind varchar not null,
    status varchar not null,
    approval_required boolean not null,
    approvers integer not null,
    guard_sentence varchar,
    policy varchar not null,
    policy_hash varchar not null,
    run_id varchar not null,
    recorded_at timestamptz not null,
    approved_by varchar,
    approved_on date,
    rejected_by varchar,
    rejected_on date,
    reject_until date,
    reject_why varchar,
    released_on date,
    closed_on date
);

create table approvals (
    batch_id varchar not null,
    approved_by varchar not null,
    approved_on date not null,
    recorded_at timestamptz not null
);

create table messages (
    message_id varchar not null,
    batch_id varchar not null,
    customer_id varchar not null,
    currency varchar not null,
    language varchar not null,
    step varchar not null,
    template varchar not null,
    channel varchar not null,
    payload varchar not null,
    document_path varchar,
    document_sha256 varchar,
    template_sha256 varchar,
    status varchar not null,
    dispatched_on date,
    provider_answer varchar,
    changed_at timestamptz
);

create table actions (
    action_id varchar not null,
    message_id varchar not null,
    batch_id varchar not null,
    customer_id varchar not null,
    invoice_number varchar not null,
    installment varchar not null,
    currency varchar not null,
    step varchar not null,
    attempt integer not null,
    channel varchar not null,
    amount_open decimal(18, 3) not null,
    amount_demanded decimal(18, 3) not null,
    status varchar not null,
    proposed_on date not null,
    proposed_at timestamptz not null,
    ended_on date,
    ended_at timestamptz,
    uncertain_on date,
    uncertain_at timestamptz,
    dispatch_date date,
    dispatched_at timestamptz
);

create table audit_events (
    sequence bigint not null,
    recorded_at timestamptz not null,
    actor varchar not null,
    run_id varchar not null,
    kind varchar not null,
    action_id varchar,
    customer_id varchar,
    payload varchar not null,
    previous_hash varchar not null,
    hash varchar not null
);

create table personal_fields (
    sequence bigint not null,
    field varchar not null,
    salt varchar not null,
    value varchar not null
);
