select hash from asked_hashes join returns on returns.return_id = asked_hashes.hash
union
select hash from asked_hashes join returns on returns.headers_hash = asked_hashes.hash
