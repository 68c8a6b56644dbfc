"""The kinds of a host's base: nearly all of one shape (`kind.BaseKind`)."""

from __future__ import annotations

from typing import Any

from reconciler.kinds.base.account import GROUP, USER
from reconciler.kinds.base.command import COMMAND
from reconciler.kinds.base.file import FILE
from reconciler.kinds.base.module import MODULE
from reconciler.kinds.base.mount import MOUNT
from reconciler.kinds.base.package import PACKAGE
from reconciler.kinds.base.pool import POOL
from reconciler.kinds.base.service import SERVICE
from reconciler.kinds.base.setting import SETTING
from reconciler.kinds.base.storage import VOLUME_GROUP, ZPOOL
from reconciler.kinds.base.sysctl import SYSCTL
from reconciler.kinds.protocol import Kind

# In the order in which they are dealt with where nothing else decides: packages bring the groups,
# shells, time zones and folders that the others name.
BASE_KINDS: tuple[Kind[Any], ...] = (
    PACKAGE,
    SETTING,
    GROUP,
    USER,
    MODULE,
    SYSCTL,
    FILE,
    MOUNT,
    VOLUME_GROUP,
    ZPOOL,
    POOL,
    SERVICE,
    COMMAND,
)
