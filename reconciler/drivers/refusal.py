"""How a driver says no, in words only: its one door adds where and what was asked."""

from __future__ import annotations


class Refused(Exception):
    """The state of the thing forbids what was asked. Leaves the port as a `Conflict`."""


class Missing(Exception):
    """The thing is not there. Leaves the port as a `NotFound`."""


class Forbidden(Exception):
    """Who asked may not. Leaves the port as `Denied`."""
