"""What leaves, as bytes: e-mails, letters, call sheets and placement files, made from a stored message.

Pure functions of (message, creditor, templates): no clock, no database, nothing is sent. The same input gives
the same bytes. `wording` holds what templates may name, `content` what all frames show.
"""
