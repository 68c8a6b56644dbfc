"""The words of the farm: addresses, specs, what was seen of them and how they differ.

Imports nothing of ours.
"""
