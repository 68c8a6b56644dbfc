"""What a change costs that is none of a guest's definition: the other tables of the docs."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.model.change import Disruption

LIVE, RESTART, REPLACE, DATA_LOSS = Disruption


@dataclass(frozen=True, slots=True)
class ChangeCost:
    """What a change of a field of a resource costs; None: nothing is changed for it."""

    kind: str
    field: str
    when: str
    disruption: Disruption | None
    effect: str


CHANGE_COSTS: tuple[ChangeCost, ...] = (
    ChangeCost("domain", "running", "to `true`", LIVE, "it is started"),
    ChangeCost("domain", "running", "to `false`", RESTART, "it is shut down"),
    ChangeCost("domain", "autostart", "always", LIVE, ""),
    ChangeCost("domain", "host", "always", LIVE, "it moves with its volumes, while it runs"),
    ChangeCost("domain", "host", "and the new host only emulates", RESTART, "it moves shut down"),
    ChangeCost("domain", "libvirt_name", "always", REPLACE, "it is defined anew on its volumes"),
    ChangeCost("domain", "uuid", "always", REPLACE, "it is defined anew on its volumes"),
    ChangeCost("domain", "after", "always", None, "it matters when it is started"),
    ChangeCost("domain", "name", "it is taken away", REPLACE, "it is shut down and forgotten"),
    ChangeCost("volume", "capacity_bytes", "larger", LIVE, "it grows under its guest"),
    ChangeCost("volume", "capacity_bytes", "smaller", DATA_LOSS, "a new one, the old to the trash"),
    ChangeCost("volume", "pool", "always", DATA_LOSS, "a new one, the old to the trash"),
    ChangeCost("volume", "format", "always", DATA_LOSS, "a new one, the old to the trash"),
    ChangeCost("volume", "name", "always", DATA_LOSS, "a new one, the old to the trash"),
    ChangeCost("volume", "host", "always", LIVE, "it goes where its machine goes"),
    ChangeCost("volume", "image", "always", None, "it matters when the disk is made"),
    ChangeCost(
        "volume", "content", "`on_change: replace`", DATA_LOSS, "the root disk is made anew"
    ),
    ChangeCost("volume", "disks", "one is taken away", DATA_LOSS, "it goes to the trash"),
    ChangeCost("volume", "content", "else", LIVE, "the seed is written, for the next start"),
)

# Of a host's base. `name` is the thing as a whole, when nobody wants it any more.
BASE_COSTS: tuple[ChangeCost, ...] = (
    ChangeCost("package", "state", "to `present`", LIVE, "it is installed"),
    ChangeCost("package", "state", "to `absent`", RESTART, "it is removed, its settings stay"),
    ChangeCost("package", "version", "always", LIVE, "that version is installed"),
    ChangeCost("package", "held", "always", LIVE, ""),
    ChangeCost("package", "name", "it is taken away", LIVE, "it stays"),
    ChangeCost("setting", "value", "always", LIVE, ""),
    ChangeCost("setting", "name", "it is taken away", LIVE, "it stays as it is"),
    ChangeCost("group", "gid", "always", LIVE, "files keep the old number"),
    ChangeCost("group", "state", "always", LIVE, ""),
    ChangeCost("group", "name", "it is taken away", LIVE, "removed if it is ours and empty"),
    ChangeCost("user", "uid", "always", LIVE, "files elsewhere keep the old number"),
    ChangeCost("user", "description", "always", LIVE, ""),
    ChangeCost("user", "groups", "always", LIVE, "from the next login on"),
    ChangeCost("user", "shell", "always", LIVE, "from the next login on"),
    ChangeCost("user", "keys", "always", LIVE, "who is in stays in"),
    ChangeCost("user", "sudo", "always", LIVE, ""),
    ChangeCost("user", "state", "always", LIVE, "it is locked or opened, its files stay"),
    ChangeCost("user", "name", "it is taken away", LIVE, "it is locked if it is ours"),
    ChangeCost("module", "options", "always", LIVE, "from the next boot on, if it is loaded"),
    ChangeCost("module", "loaded", "always", LIVE, "it is loaded"),
    ChangeCost("module", "persisted", "always", LIVE, ""),
    ChangeCost("module", "name", "it is taken away", LIVE, "it is not loaded at the next boot"),
    ChangeCost("sysctl", "value", "always", LIVE, ""),
    ChangeCost("sysctl", "persisted", "always", LIVE, ""),
    ChangeCost("sysctl", "name", "it is taken away", LIVE, "it stays until the next boot"),
    ChangeCost("file", "type", "always", LIVE, "a directory with something in it stays"),
    ChangeCost("file", "content", "always", LIVE, "services that read it are restarted"),
    ChangeCost("file", "mode", "always", LIVE, ""),
    ChangeCost("file", "owner", "always", LIVE, ""),
    ChangeCost("file", "group", "always", LIVE, ""),
    ChangeCost("file", "target", "always", LIVE, ""),
    ChangeCost("file", "secrets", "always", LIVE, "services that read it are restarted"),
    ChangeCost("file", "path", "it is taken away", LIVE, "what was there before comes back"),
    ChangeCost("mount", "source", "always", RESTART, "what is there is unmounted first"),
    ChangeCost("mount", "type", "always", RESTART, "what is there is unmounted first"),
    ChangeCost("mount", "options", "always", LIVE, "it is mounted anew where it is"),
    ChangeCost("mount", "mounted", "always", LIVE, "it is mounted"),
    ChangeCost("mount", "persisted", "always", LIVE, ""),
    ChangeCost("mount", "path", "it is taken away", RESTART, "it is unmounted if it is ours"),
    ChangeCost("volume_group", "devices", "always", LIVE, "what is missing is added"),
    ChangeCost("volume_group", "name", "it is taken away", LIVE, "it stays with its data"),
    ChangeCost("zpool", "layout", "always", LIVE, "made if there is none, else refused"),
    ChangeCost("zpool", "name", "it is taken away", LIVE, "it stays with its data"),
    ChangeCost("pool", "type", "always", LIVE, "refused: machines live there"),
    ChangeCost("pool", "target", "always", LIVE, "refused: machines live there"),
    ChangeCost("pool", "running", "always", LIVE, "it is started"),
    ChangeCost("pool", "autostart", "always", LIVE, ""),
    ChangeCost("pool", "backed", "always", LIVE, "refused while nothing is behind it"),
    ChangeCost("pool", "name", "it is taken away", LIVE, "it is stopped, its data stay"),
    ChangeCost("service", "enabled", "always", LIVE, ""),
    ChangeCost("service", "running", "always", LIVE, "it is started or stopped"),
    ChangeCost("service", "masked", "always", LIVE, ""),
    ChangeCost("service", "reads", "always", LIVE, "it is restarted or reloaded once"),
    ChangeCost("service", "unit", "it is taken away", LIVE, "it stays as it is"),
    ChangeCost("command", "done", "always", LIVE, "it is run"),
    ChangeCost("command", "name", "it is taken away", LIVE, "what it did stays"),
)
