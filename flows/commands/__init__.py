"""The command line, one file per noun. Flows are imported late, so that commands that only read start at once."""
