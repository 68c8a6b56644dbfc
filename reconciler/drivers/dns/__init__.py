"""Name servers that are changed by dynamic updates (RFC 2136), such as BIND."""
