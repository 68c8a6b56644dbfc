"""Name servers that read zone files: NSD, Knot, and BIND without dynamic updates."""
