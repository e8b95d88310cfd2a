select customer_id from customers union select customer_id from actions
