"""The rules of facts and decisions a second time: slow, plain, one item at a time, from the documents only.

Nothing here may look at how `policies/` computes; `tests/property` holds the two equal.
"""
