"""The kinds of a host's base: one file per kind, all of one shape (`kind.BaseKind`)."""

from __future__ import annotations

from typing import Any

from reconciler.kinds.base.kind import BaseKind
from reconciler.kinds.base.sysctl import SYSCTL

# In the order in which they are dealt with where nothing else decides.
BASE_KINDS: tuple[BaseKind[Any], ...] = (SYSCTL,)
