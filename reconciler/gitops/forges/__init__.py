"""Forges: where pull requests, commit statuses and releases live."""
