-- One digest for all rows of a group: of each row the SHA-256 of its text, and of these hashes, in their order, the
-- SHA-256 of buckets by their first two digits, then that of the buckets. No order of rows on disk changes it.
with hashed as (
    select cast({key} as varchar) as group_id, sha256({row_text}) as row_hash
    from {table}
    {only}
),
buckets as (
    select group_id, left(row_hash, 2) as bucket, count(*) as bucket_rows, sha256(string_agg(row_hash, '' order by row_hash)) as bucket_hash
    from hashed
    group by group_id, bucket
)
select group_id, cast(sum(bucket_rows) as bigint) as "rows", sha256(string_agg(bucket_hash, '' order by bucket)) as sha256
from buckets
group by group_id
