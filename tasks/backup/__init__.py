"""Backup and restore of a workspace. Start reading at `taking.py` and `restoring.py`.

A picture is what a power cut at that instant would have left, and the next run takes up; an archive is one file.
"""
