"""A farm that exists only in memory or in a file: for demos, plans without access, and drills.

It refuses what the real thing refuses; one contract suite holds both to the same promises.
"""
