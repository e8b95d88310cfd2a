delete from personal_fields
where sequence in (select sequence from audit_events where customer_id = $customer_id)
returning sequence
