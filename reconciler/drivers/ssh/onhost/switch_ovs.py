"""The database of Open vSwitch: kept whole, and put back whole if anything in it differs.

Measured: what a restored database has as before stays untouched, with its flows and its interface;
what it has not is gone within a moment. Rows get new numbers, so that they are compared by content.
"""

from __future__ import annotations

import json
import os
import stat

from reconciler.drivers.ssh.onhost.switch_site import MISSING, QUICK_SECONDS, remove, write_whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from reconciler.drivers.ssh.onhost.switch_site import Site

    Tables = dict[str, dict[str, dict[str, Any]]]

_DATABASE = "/etc/openvswitch/conf.db"
_SOCKET = "/run/openvswitch/db.sock"
_BY_SWITCH = frozenset({"ofport", "next_cfg", "cur_cfg", "bond_active_slave", "error"})
_RESTORED = "switches.db"
_GUEST = "attached-mac"  # libvirt says so of what it plugs in


def switches_of(site: Site) -> str | None:
    """The whole database, as it can be put back; None if there is none that is served here.

    Raises:
        OSError: there is one, and it cannot be kept.
    """
    code, output = site.run(["ovsdb-client", "backup"], b"", QUICK_SECONDS)
    if not code:
        _rows(output)
        return output
    if code != MISSING and os.path.exists(site.root + _SOCKET):  # noqa: PTH110
        raise OSError(f"ovsdb-client backup: {output[:300]}")
    return None


def put_switches_back(site: Site, kept: str) -> bool:
    """Make the switches what they were, with those guests that came meanwhile; False if they are.

    Raises:
        OSError: the database refused.
    """
    now = switches_of(site)
    if now is None:
        raise OSError("Open vSwitch does not answer")
    if _content(kept) == _content(now):
        return False
    code, output = _restore(site, kept)
    if code:
        raise OSError(f"ovsdb-client restore: {output[:300]}")
    plugged = _guests(_rows(kept)[1], _rows(now)[1])
    if plugged:
        site.run(["ovs-vsctl", "--timeout=5", *plugged], b"", QUICK_SECONDS)
    return True


def _restore(site: Site, kept: str) -> tuple[int, str]:
    """It wants a file that it can seek in."""
    file = site.file(_RESTORED)
    write_whole(file, kept.encode(), 0o600, None)
    try:
        return site.run(["sh", "-c", 'exec ovsdb-client restore <"$0"', file], b"", QUICK_SECONDS)
    finally:
        remove(file)


def put_database_back(site: Site, kept: str) -> bool:
    """At a boot, before the database is served: let its file be the one that was kept.

    Raises:
        OSError: it cannot be written.
    """
    real = os.path.realpath(site.root + _DATABASE)
    try:
        there = os.stat(real)  # noqa: PTH116
    except FileNotFoundError:
        return False
    owner = there.st_uid, there.st_gid
    write_whole(real, kept.encode(), stat.S_IMODE(there.st_mode), owner)
    return True


def _rows(backup: str) -> tuple[dict[str, Any], Tables]:
    """The schema and the rows by table and number.

    Raises:
        OSError: it is no backup that is known.
    """
    lines = [line for line in backup.splitlines() if line.startswith("{")]
    try:
        schema, *changes = map(json.loads, lines)
        return schema["tables"], changes[0] if changes else {}
    except (ValueError, KeyError) as error:
        raise OSError(f"ovsdb-client backup: no answer that can be understood: {error}") from None


def _content(backup: str) -> Any:
    """What the rows say, whatever their numbers are."""
    schema, tables = _rows(backup)
    rows = {number: (table, row) for table in schema for number, row in _of(tables, table).items()}

    def told(value: Any) -> Any:
        if isinstance(value, list) and len(value) == 2 and value[0] == "uuid":  # noqa: PLR2004
            table, row = rows.get(value[1], ("", {}))
            return [table, content(table, row)]
        if isinstance(value, list) and value and value[0] == "set":
            return ["set", sorted(map(told, value[1]), key=json.dumps)]
        return value

    def content(table: str, row: dict[str, Any]) -> dict[str, Any]:
        columns = schema[table]["columns"] if table in schema else {}
        lasting = {
            key
            for key in row
            if not columns.get(key, {}).get("ephemeral") and key not in _BY_SWITCH
        }
        return {key: told(row[key]) for key in sorted(lasting)}

    return {
        table: sorted((content(table, row) for row in _of(tables, table).values()), key=json.dumps)
        for table in sorted(schema)
    }


def _of(tables: Tables, table: str) -> dict[str, dict[str, Any]]:
    return tables.get(table, {})


def _guests(old: Tables, new: Tables) -> list[str]:
    """The words that plug in what libvirt has plugged in since."""
    before = {row["name"] for row in _of(old, "Port").values()}
    bridges = {row["name"] for row in _of(old, "Bridge").values()}
    words = list[str]()
    for bridge in _of(new, "Bridge").values():
        for number in _numbers(bridge.get("ports")):
            port = _of(new, "Port").get(number, {})
            ends = [_of(new, "Interface").get(end, {}) for end in _numbers(port.get("interfaces"))]
            ids = dict(pair for end in ends for pair in end.get("external_ids", ["map", []])[1])
            if bridge["name"] in bridges and port.get("name") not in before and _GUEST in ids:
                words += _plugged(bridge["name"], port, ids)
    return words


def _plugged(bridge: str, port: dict[str, Any], ids: dict[str, str]) -> list[str]:
    name, tag = port["name"], port.get("tag")
    tagged = [f"tag={tag}"] if isinstance(tag, int) else []
    told = [f"external_ids:{key}={json.dumps(value)}" for key, value in sorted(ids.items())]
    words = ["--", "--may-exist", "add-port", bridge, name, *tagged]
    return [*words, "--", "set", "Interface", name, *told]


def _numbers(value: Any) -> list[str]:
    """The rows that a column points at: one alone is told without its set."""
    if not isinstance(value, list) or len(value) != 2:  # noqa: PLR2004
        return []
    return [value[1]] if value[0] == "uuid" else [each[1] for each in value[1]]
