-- Of the open items in the newest earlier file of a source: how many there were, and how many an incoming file leaves out.
with before as (
    select intake_id
    from intakes
    where source = $source
        and kind in ('full_open_items', 'full_invoices')
        and lists_invoices
        and file_date <= $file_date
    order by file_date desc, intake_id desc
    limit 1
),
listed as (
    select customer_id, invoice_number, installment
    from invoice_lines
    join before using (intake_id)
    where coalesce(amount_open, amount) <> 0
),
missing as (
    select * from listed
    anti join incoming_invoices using (customer_id, invoice_number, installment)
)
select (select count(*) from listed) as known_open, (select count(*) from missing) as missing
