"""Base images on their way to the hosts: fetched once, checked, and kept in a spool."""
