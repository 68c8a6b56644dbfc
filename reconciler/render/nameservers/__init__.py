"""What Nameserver documents make of hosts: the configuration of BIND, NSD and Knot. Pure."""
