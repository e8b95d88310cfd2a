select table_name, column_name, data_type
from duckdb_columns()
where database_name = current_database()
order by table_name, column_name
