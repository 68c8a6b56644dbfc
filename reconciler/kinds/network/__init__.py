"""The kinds of what networks are made of on hosts: of the shape of the kinds of a base."""

from __future__ import annotations

from typing import Any

from reconciler.kinds.protocol import Kind

# In the order in which they are dealt with where nothing else decides.
NETWORK_KINDS: tuple[Kind[Any], ...] = ()
