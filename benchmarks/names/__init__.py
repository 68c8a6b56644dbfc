"""Zones of many records, with octoDNS beside us at the same name server."""
