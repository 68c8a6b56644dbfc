"""Routes and the rules that choose between them: kept as lines of `ip`, and put back as such."""

from __future__ import annotations

import re

from reconciler.drivers.ssh.onhost.switch_site import QUICK_SECONDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from reconciler.drivers.ssh.onhost.switch_site import Site

    Lines = dict[str, list[str]]
    Command = list[str]

_FAMILIES = ("-4", "-6")
# What the kernel says of how a route fares, and does not take.
_STATES = re.compile(r" (?:linkdown|dead|offload|offload_failed|trap|rt_trap|error -?\d+)(?= |$)")
_EXPIRES = re.compile(r" expires (\d+)sec")
_OF_KERNEL = re.compile(r"[2-5] ")  # local, broadcast, anycast and multicast, as numbers
_TYPES = {"6": "blackhole", "7": "unreachable", "8": "prohibit", "9": "throw"}
# Routes of the kernel come and go with addresses, and those that were learnt are learnt anew.
_BY_ITSELF = re.compile(r" proto (?:1|2|9|11|12|42|186|187|188|189|192)(?= |$)")
_OWN = re.compile(r" proto 2(?= |$)")


def routes_of(site: Site) -> Lines:
    """The routes of all tables, by family, as `ip route add` takes them.

    Raises:
        OSError: they cannot be told.
    """
    lines = _told(site, "route", "show", "table", "all")
    return {
        family: [_cleaned(line) for line in told if not _OF_KERNEL.match(line)]
        for family, told in lines.items()
    }


def rules_of_routing(site: Site) -> Lines:
    """The rules by family, as `ip rule add` takes them.

    Raises:
        OSError: they cannot be told.
    """
    return {
        family: [_rule(line) for line in told]
        for family, told in _told(site, "rule", "show").items()
    }


def _told(site: Site, *words: str) -> Lines:
    found = {}
    for family in _FAMILIES:
        code, output = site.run(["ip", family, "-N", "-o", *words], b"", QUICK_SECONDS)
        is_without = family == "-6" and code  # a kernel without IPv6 has no routes of it
        if code and not is_without:
            raise OSError(f"ip {' '.join(words)}: {output[:300]}")
        found[family] = [] if is_without else [line for line in output.splitlines() if line.strip()]
    return found


def _cleaned(line: str) -> str:
    words = line.replace("\\", " ").split()
    whole = " ".join([_TYPES.get(words[0], words[0]), *words[1:]])
    return _EXPIRES.sub(r" expires \1", _STATES.sub("", whole))


def _rule(line: str) -> str:
    priority, _, rest = line.partition(":")
    words = rest.replace("lookup [l3mdev-table]", "l3mdev").replace("[unresolved]", "")
    return f"pref {priority.strip()} {' '.join(words.replace('[detached]', '').split())}"


def route_commands(kept: Lines, now: Lines) -> list[Command]:
    """What makes the routes what they were; those that others go through come first."""
    commands = []
    for family, old in kept.items():
        was, is_now = (_by_key(lines) for lines in (old, now.get(family, [])))
        wrong = [line for key, line in is_now.items() if key not in was]
        missing = [line for key, line in was.items() if key not in is_now]
        less = [line for line in wrong if not _BY_ITSELF.search(line)]
        more = sorted(missing, key=lambda line: (" via " in line, line))
        commands += [[family, "route", "delete", *line.split()] for line in less]
        commands += [[family, "route", "add", *line.split()] for line in more if _is_ours(line)]
    return commands


def _by_key(lines: list[str]) -> dict[str, str]:
    return {re.sub(r" expires \d+", "", line): line for line in lines}


def _is_ours(line: str) -> bool:
    """Whether a route that is missing is put back: not those that a program has to make."""
    return not _BY_ITSELF.search(line) or bool(_OWN.search(line)) or " proto 9" in line


def rule_commands(kept: Lines, now: Lines) -> list[Command]:
    """What makes the rules what they were: first what is missing, so that there always are some."""
    commands = []
    for family, was in kept.items():
        is_now = now.get(family, [])
        commands += [[family, "rule", "add", *line.split()] for line in was if line not in is_now]
        commands += [
            [family, "rule", "delete", *line.split()] for line in is_now if line not in was
        ]
    return commands
