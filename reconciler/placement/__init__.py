"""Where virtual machines go. Pure."""
