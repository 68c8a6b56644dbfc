"""From a bare server to a host that sync can take over: the steps, as data."""
