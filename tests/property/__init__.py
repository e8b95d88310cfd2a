"""Histories and policies drawn by chance: the set-based rules against the oracle, and what must always hold."""
