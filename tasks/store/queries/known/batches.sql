select batch_id from batches
