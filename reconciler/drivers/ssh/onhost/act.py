"""Does on the host what is to be done there: acts, one after the other, up to the first failure.

What comes in is `{"acts": [{"act": "put_file", ...}], "directory": ...}`; the fields of an act are
those of its class in `ports.acts`. Out goes a line for each act that is done (`{"act": 0}`), and
one for the act that failed (`{"act": 1, "error": "cannot ..."}`).
"""

from __future__ import annotations

import json
import os
import signal
from importlib import import_module

from reconciler.drivers.ssh.onhost.host import Batch, Refused
from reconciler.drivers.ssh.onhost.paths import Untrusted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from types import FrameType
    from typing import Any

# The modules of acts are parts of this one, and sent along.
_HERE = "reconciler.drivers.ssh.onhost."
# Where the function of an act is, which has the act's name: imported only if the act comes.
MODULES = {
    "put_file": "act_files",
    "put_directory": "act_files",
    "put_link": "act_files",
    "remove_path": "act_files",
    "install_package": "act_packages",
    "remove_package": "act_packages",
    "hold_package": "act_packages",
    "set_service": "act_services",
    "restart_service": "act_services",
    "put_group": "act_accounts",
    "remove_group": "act_accounts",
    "put_user": "act_accounts",
    "lock_user": "act_accounts",
    "set_sysctl": "act_kernel",
    "forget_sysctl": "act_kernel",
    "load_module": "act_kernel",
    "forget_module": "act_kernel",
    "mount": "act_mounts",
    "unmount": "act_mounts",
    "put_setting": "act_settings",
    "run_command": "act_commands",
    "make_volume_group": "act_storage",
    "make_zpool": "act_storage",
    "put_interface": "act_links",
    "remove_interface": "act_links",
    "put_switch": "act_switches",
    "remove_switch": "act_switches",
    "put_tunnels": "act_switches",
    "put_ruleset": "act_rulesets",
    "remove_ruleset": "act_rulesets",
    "put_subnet": "act_dhcp",
    "remove_subnet": "act_dhcp",
    "put_reservations": "act_dhcp",
    "put_mark": "act_marks",
    "forget": "act_marks",
}


class Ended(Exception):
    """The time is over, and whoever set it wants this to end."""


def main(stdin: bytes, told_to: int = 1) -> int:
    """Do what the standard input says; the exit code is 1 if something failed.

    `told_to` is the descriptor to which it is told.
    """
    given = json.loads(stdin)
    signal.signal(signal.SIGTERM, _end)
    os.umask(0o022)  # whoever logged in may have another
    code = 0
    for line in perform(Batch(directory=given["directory"]), given["acts"]):
        code = 1 if "error" in line else code
        _say(told_to, line)
    return code


def perform(batch: Batch, acts: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Do the acts, and tell of each."""
    acts = list(acts)
    batch.reads = _reads(acts)
    for number, act in enumerate(acts):
        error = _failure(batch, act)
        if error is not None:
            yield {"act": number, "error": error}
            return
        yield {"act": number}


def _failure(batch: Batch, act: Mapping[str, Any]) -> str | None:
    """Do one act; what went wrong, or None."""
    fields = {name: value for name, value in act.items() if name != "act"}
    try:
        _function(act["act"])(batch, **fields)
    except Refused as error:
        return str(error)
    except Untrusted as error:
        return f"{_place(act, '')}: {error}"
    except Ended:
        return "it was not done in time, and was stopped"
    except OSError as error:
        return f"{_place(act, error.filename)}: {error.strerror or error}"
    return None


def _place(act: Mapping[str, Any], file: str | None) -> str:
    """What an error is about: rather what people know of than a temporary name of ours."""
    return str(act.get("path") or file or act["act"])


def _function(name: str) -> Callable[..., None]:
    found: Callable[..., None] = getattr(import_module(_HERE + MODULES[name]), name)
    return found


def _reads(acts: list[Mapping[str, Any]]) -> dict[str, list[str]]:
    """By unit the files that its mark at the end of the batch will be about."""
    questions = [act["mark"]["question"] for act in acts if act["act"] == "put_mark"]
    return {each["name"]: each["details"] for each in questions if each["about"] == "service"}


def _say(told_to: int, line: Mapping[str, Any]) -> None:
    try:
        os.write(told_to, json.dumps(line).encode() + b"\n")
    except OSError:
        return  # who listened was cut off, perhaps by what was done: the rest is done all the same


def _end(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise Ended
