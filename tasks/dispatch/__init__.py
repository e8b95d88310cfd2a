"""Release: what leaves, and the journal that knows it even after a cut. Start reading at `release.py`.

Which batches may leave is decided before; what the outcomes mean for the ladder is decided after, in the store.
"""
