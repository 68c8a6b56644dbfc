"""The base of a simulated host: its files, packages, services, people and kernel, as pure data.

Each module changes one part of it, as functions from base to base; `acts` finds the one for an act.
"""
