"""The kernel's interfaces, addresses, routes and rules, as far as a switch asks `ip` for them.

It refuses what the kernel refuses: what is not there, and what is there already.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

Answer = tuple[int, str]
TYPES = {"blackhole": "6", "unreachable": "7"}
RULES = ["0:\tfrom all lookup local", "32766:\tfrom all lookup main"]
DEFAULTS = {"stp_state": 0, "forward_delay": 1500, "ageing_time": 30000, "vlan_filtering": 0}


@dataclass
class Link:
    """An interface."""

    kind: str = ""
    master: str | None = None
    parent: str | None = None
    mtu: int = 1500
    mac: str = "02:00:00:00:00:01"
    is_up: bool = True
    data: dict[str, Any] = field(default_factory=dict)
    addresses: list[dict[str, Any]] = field(default_factory=list)

    def told(self, name: str) -> dict[str, Any]:
        """As `ip -details -json address` tells it."""
        info = {"linkinfo": {"info_kind": self.kind, "info_data": self.data}} if self.kind else {}
        on = {"master": self.master} if self.master else {}
        under = {"link": self.parent} if self.parent else {}
        flags = ["BROADCAST", *(["UP"] if self.is_up else [])]
        own = {"ifname": name, "mtu": self.mtu, "address": self.mac, "flags": flags}
        return {**own, **info, **on, **under, "addr_info": self.addresses}


def address(text: str, **more: Any) -> dict[str, Any]:
    """An address as it is told."""
    local, _, length = text.partition("/")
    family = "inet6" if ":" in local else "inet"
    return {"family": family, "local": local, "prefixlen": int(length), "scope": "global", **more}


@dataclass
class Kernel:
    """`refuses` are words of commands that fail; `asked` are those that change something."""

    links: dict[str, Link] = field(default_factory=dict)
    routes: dict[str, list[str]] = field(default_factory=lambda: {"-4": [], "-6": []})
    rules: dict[str, list[str]] = field(default_factory=lambda: {"-4": [*RULES], "-6": [*RULES]})
    refuses: tuple[str, ...] = ()
    asked: list[str] = field(default_factory=list)

    def ip(self, words: list[str]) -> Answer:
        """What `ip` answers to these words."""
        if words[:2] == ["-details", "-json"]:
            return 0, json.dumps([link.told(name) for name, link in self.links.items()])
        if "show" in words:
            return 0, "\n".join((self.routes if "route" in words else self.rules)[words[0]])
        line = " ".join(words)
        self.asked.append(line)
        if any(word in line for word in self.refuses):
            return 2, "RTNETLINK answers: Operation not permitted"
        family = words.pop(0) if words[0].startswith("-") else ""
        try:
            {"link": self._link, "address": self._address}.get(words[0], self._line)(words, family)
        except (KeyError, ValueError) as error:
            return 2, f"RTNETLINK answers: {error}"
        return 0, ""

    def _link(self, words: list[str], family: str) -> None:
        del family
        if words[1] == "add":
            self._make(words)
            return
        name = words[words.index("dev") + 1]
        link = self.links[name]
        if words[1] == "delete":
            del self.links[name]
            for each in self.links.values():
                each.master = None if each.master == name else each.master
            return
        verb, *rest = words[4:]
        if verb == "master" and rest[0] not in self.links:
            raise ValueError("Device does not exist")
        if verb == "type":
            link.data[rest[1]] = int(rest[2])
        elif verb in {"up", "down"}:
            link.is_up = verb == "up"
        elif verb == "nomaster":
            link.master = None
        else:
            value: Any = int(rest[0]) if verb == "mtu" else rest[0]
            setattr(link, {"address": "mac"}.get(verb, verb), value)

    def _make(self, words: list[str]) -> None:
        name, kind = words[words.index("name") + 1], words[words.index("type") + 1]
        if name in self.links:
            raise ValueError("File exists")
        told = words[words.index("type") + 2 :]
        data = {key: int(value) if value.isdigit() else value for key, value in _pairs(told)}
        parent = words[words.index("link", 1) + 1] if "link" in words[1:] else None
        self.links[name] = Link(
            kind,
            parent=parent,
            is_up=False,
            data={**(DEFAULTS if kind == "bridge" else {}), **data},
        )

    def _address(self, words: list[str], family: str) -> None:
        del family
        there = self.links[words[words.index("dev") + 1]].addresses
        new = address(words[2] if "peer" not in words else words[4], local=words[2].split("/")[0])
        same = [each for each in there if (each["local"], each["prefixlen"]) == _name(new)]
        if bool(same) == (words[1] == "add"):
            raise ValueError("File exists" if same else "Cannot assign requested address")
        if words[1] == "add":
            there.append(new)
        else:
            there.remove(same[0])

    def _line(self, words: list[str], family: str) -> None:
        """A route or a rule, which are kept as they are told."""
        lines = (self.routes if words[0] == "route" else self.rules)[family]
        told = " ".join([TYPES.get(words[2], words[2]), *words[3:]])
        if words[0] == "rule":
            _, priority, rest = told.split(" ", 2)
            told = f"{priority}:\t{rest}"
        if (told in lines) == (words[1] == "add"):
            raise ValueError("File exists" if told in lines else "No such process")
        (lines.append if words[1] == "add" else lines.remove)(told)


def _pairs(words: list[str]) -> list[tuple[str, str]]:
    return list(zip(words[::2], words[1::2], strict=True))


def _name(told: dict[str, Any]) -> tuple[Any, Any]:
    return told["local"], told["prefixlen"]
