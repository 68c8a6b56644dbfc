"""What speaks for a commit: signatures, sign-offs, approvals, and how long it was tried."""
