"""What networks, firewalls and proxies make of hosts, as resources. Pure."""
