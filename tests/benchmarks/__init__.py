"""How long a working day takes, and how much memory, with many invoices."""
