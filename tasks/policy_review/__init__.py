"""What is checked before a policy writes to anyone: its rules, and all that stands around it."""
