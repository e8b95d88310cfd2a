-- What the log keeps beside its events of mail that is about no customer we know, taken in by a day.
delete from personal_fields
where sequence in (
    select sequence
    from audit_events
    where kind = 'mail_returned' and customer_id is null and try_cast(payload ->> 'on' as date) <= $cutoff
)
returning sequence
