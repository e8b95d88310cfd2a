"""The store: the only place that opens DuckDB and holds SQL. Opened late and briefly."""
