"""The store: the only place that opens DuckDB and holds SQL. Opened late, briefly, never across mail or PDF work."""
