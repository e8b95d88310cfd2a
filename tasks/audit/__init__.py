"""What auditors ask and its proof: answers from `published/`, the whole log, what erasure of personal data leaves."""
