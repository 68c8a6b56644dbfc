"""Planning: desired and observed resources become changes a person can read. Pure."""
