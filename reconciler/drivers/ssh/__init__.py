"""The one way to a host: ssh with pinned keys, deadlines that hold, and arguments, not text."""
