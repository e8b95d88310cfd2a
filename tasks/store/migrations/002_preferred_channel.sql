-- How a customer asks to be written to: by e-mail or by letter.
alter table customer_lines add column preferred_channel varchar;
