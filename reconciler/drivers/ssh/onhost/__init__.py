"""What runs on a host itself: sent there with each command, kept nowhere, Python 3.9 and alone.

These modules import each other and the standard library only, and little of that: what is slow
to import is imported where it is used.
"""
