"""What auditors ask and how they are answered, from `published/`; personal data and how it is erased."""
