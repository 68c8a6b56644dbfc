"""Options of DHCP as Kea writes them, and as people do.

Kea has no name for classless static routes (option 121) before its version 2.5, so they are given
as bytes. Who gets that option does not look at the router: the way out must be among the routes.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

ROUTES = "classless-static-route"
_ROUTES_CODE = 121
_BITS = 8


def options_of(entry: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The options of a subnet by name, sorted, as people write them."""
    return sorted((_name(each), _value(each)) for each in entry.get("option-data") or ())


def option_data(options: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    """Options as Kea wants them."""
    return [_data(name, value) for name, value in options]


def routes_hex(text: str) -> str:
    """Routes (`10.10.59.0/24 via 10.10.60.1, ...`) as the bytes of option 121 (RFC 3442).

    Raises:
        ValueError: they are none.
    """
    return "".join(_route_hex(part) for part in text.split(","))


def routes_text(told: str) -> str:
    """The bytes of option 121 as routes.

    Raises:
        ValueError: they are none.
    """
    data, routes = bytes.fromhex(told), []
    while data:
        length = (data[0] + _BITS - 1) // _BITS
        prefix, router = data[1 : 1 + length], data[1 + length : 5 + length]
        if data[0] > 4 * _BITS or len(router) < 4:  # noqa: PLR2004 (bytes of an address)
            raise ValueError("no routes")
        network = ".".join(str(byte) for byte in prefix.ljust(4, b"\0"))
        routes.append(f"{network}/{data[0]} via {'.'.join(str(byte) for byte in router)}")
        data = data[5 + length :]
    return ", ".join(routes)


def _data(name: str, value: str) -> dict[str, Any]:
    if name == ROUTES:
        data = routes_hex(value)
        return {"code": _ROUTES_CODE, "space": "dhcp4", "csv-format": False, "data": data}
    return {"name": name, "space": "dhcp4", "csv-format": True, "data": value}


def _name(each: Mapping[str, Any]) -> str:
    """The name of an option; one that is not of DHCP itself, or not always given, is told so."""
    space, code = each.get("space") or "dhcp4", each.get("code")
    if space == "dhcp4" and code == _ROUTES_CODE:
        name = ROUTES
    else:
        name = str(each.get("name") or f"option {code}")
    odd = [] if space == "dhcp4" else [f"of {space}"]
    odd += [key for key in ("always-send", "never-send", "client-classes") if each.get(key)]
    return f"{name} ({', '.join(odd)})" if odd else name


def _value(each: Mapping[str, Any]) -> str:
    data = str(each.get("data") or "")
    if each.get("csv-format", True):
        return ", ".join(part.strip() for part in data.split(","))
    if (each.get("space") or "dhcp4") == "dhcp4" and each.get("code") == _ROUTES_CODE:
        try:
            return routes_text(data.replace(":", "").replace(" ", "").removeprefix("0x"))
        except ValueError:
            return f"0x{data}"
    return f"0x{data}"


def _route_hex(text: str) -> str:
    prefix, _, router = text.strip().partition(" via ")
    network, _, bits = prefix.partition("/")
    length = (int(bits) + _BITS - 1) // _BITS
    return bytes([int(bits), *_bytes(network)[:length], *_bytes(router)]).hex().upper()


def _bytes(address: str) -> bytes:
    return bytes(int(part) for part in address.split("."))
