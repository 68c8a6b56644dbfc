"""Measurements of the whole path, printed as a table. Nothing here is a test."""
