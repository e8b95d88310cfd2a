-- What would leave with a batch. A file that several messages share is made anew whenever one of them is taken out, so
-- its hash says nothing here: one that would say other things sends the batch back, which is counted.
select message_id, sha256(payload) as message_sha256, case when sharing = 1 then document_sha256 end as document_sha256
from (
    select *, count(*) over (partition by document_path) as sharing
    from messages
    where batch_id = $batch_id
)
where status in ('planned', 'composed')
order by message_id
