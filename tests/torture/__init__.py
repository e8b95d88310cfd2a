"""Kills commands at chosen and at random instants, and changes the log by hand, to see that nothing is lost."""
