"""What comes back: mail of mailboxes, folders and files, read within limits and taken into store and log once."""
