"""Subnets and reservations of the DHCP server Kea, in what it does now and in its file.

Both are changed in the same way, and checked before either is: what the server refuses changes
nothing. All that is not ours stays as it is, in the one and in the other. A server that does not
run finds it all when it starts.
"""

from __future__ import annotations

from contextlib import contextmanager

from reconciler.drivers.ssh.onhost.dhcp import (
    CONFIG,
    TOP,
    Broken,
    Silent,
    command,
    config_of,
    file_text,
    is_plain,
    is_there,
    listens,
    running,
    socket_of,
    text_of,
)
from reconciler.drivers.ssh.onhost.dhcp_config import (
    Clash,
    entries_of,
    interfaces_of,
    number_of,
    subnet_in,
    told_of_subnet,
    with_reservations,
    with_subnet,
    without_subnet,
)
from reconciler.drivers.ssh.onhost.dhcp_sound import unsound_entries, unsound_subnet
from reconciler.drivers.ssh.onhost.directory import Access, directory_of
from reconciler.drivers.ssh.onhost.host import Batch, Refused, shortened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from reconciler.drivers.ssh.onhost.dhcp_config import Config

KEPT = ".before-reconciler"
_PACKAGE = "kea-dhcp4-server"
_CHECK_SECONDS = 30.0
_NO_SOCKET = (
    f'kea-dhcp4 has no control socket: write "control-socket": {{"socket-type": "unix", '
    f'"socket-name": "/run/kea/kea4-ctrl-socket"}} into {CONFIG}, and restart {_PACKAGE}'
)


def put_subnet(  # noqa: PLR0913 (the fields of the act)
    batch: Batch,
    *,
    network: str,
    environment: str,
    subnet: str,
    interface: str,
    pools: Sequence[str],
    options: Sequence[Mapping[str, str]],
    lease_seconds: int,
    next_server: str = "",
    boot_file: str = "",
    names: str = "",
) -> None:
    """Serve a subnet, or set right how it is served.

    Raises:
        Refused: the server does not take it; nothing was changed.
    """
    wanted = {
        "network": network,
        "environment": environment,
        "subnet": subnet,
        "interface": interface,
        "pools": list(pools),
        "options": sorted((each["name"], each["value"]) for each in options),
        "lease_seconds": lease_seconds,
        "next_server": next_server,
        "boot_file": boot_file,
        "names": names,
    }
    _expect_sound(unsound_subnet(wanted), f"serve {subnet}")
    with _made_sense_of():
        _put_subnet(_Server(batch), network, subnet, wanted)


def _put_subnet(server: _Server, network: str, subnet: str, wanted: Mapping[str, Any]) -> None:
    known = [subnet_in(each, "", subnet) for each in server.configs]
    numbers = [each["id"] for each in known if each is not None and "id" in each]
    number = numbers[0] if numbers else number_of(_as_number(subnet), *server.configs)
    retries = server.version >= (2, 2)
    server.change(
        lambda config: with_subnet(config, wanted, number, retries=retries),
        f"serve {subnet}",
        anew=not server.hears(wanted["interface"]),
    )
    told = server.read_back(lambda config: subnet_in(config, network, subnet))
    if told is not None:
        _expect(dict(told_of_subnet(told)), wanted, f"subnet {subnet}")


def remove_subnet(batch: Batch, network: str, subnet: str) -> None:
    """Serve a subnet no more; where there is no server there is nothing to do.

    Raises:
        Refused: it holds reservations, or the server does not do it.
    """
    if _text(batch) is None:
        return
    with _made_sense_of():
        _Server(batch).change(
            lambda config: without_subnet(config, network, subnet), f"serve {subnet} no more"
        )


def put_reservations(
    batch: Batch,
    network: str,
    subnet: str,
    environment: str,
    entries: Sequence[Mapping[str, str]],
) -> None:
    """Make just these an environment's reservations in a subnet.

    Raises:
        Refused: the subnet is not there, or an address is somebody else's; nothing was changed.
    """
    if not entries and _text(batch) is None:
        return
    _expect_sound(unsound_entries(entries), f"reserve addresses of {network}")

    def change(config: Config) -> Config:
        after = with_reservations(config, subnet, environment, entries)
        if after is None and entries:
            raise Clash(f"the server does not serve {subnet} of network {network} yet")
        return config if after is None else after

    with _made_sense_of():
        server = _Server(batch)
        server.change(change, f"reserve addresses of {network}")
        told = server.read_back(lambda config: subnet_in(config, "", subnet))
        if told is not None and len(entries_of(told, environment)) != len(entries):
            raise Refused(f"kea-dhcp4 took the reservations of {network}, and has others")


class _Server:
    """The server of a host, and its file, before a change. `configs` are those that there are."""

    def __init__(self, batch: Batch) -> None:
        """Ask it.

        Raises:
            Refused: it is not there, does not answer, or its file cannot be read.
        """
        text = _text(batch)
        if text is None:
            raise Refused(f"there is no {CONFIG} here: declare the package {_PACKAGE}")
        self.batch = batch
        self.text = text
        try:
            self.file = config_of(text)
            self.path = socket_of(self.file)
            self.now = running(self.path)
        except (Broken, Silent) as error:
            raise Refused(str(error)) from None
        self.configs = [each for each in (self.now, self.file) if each is not None]

    @property
    def version(self) -> tuple[int, ...]:
        """That of the server that runs; (0,) if none does."""
        if self.path is None or self.now is None:
            return (0,)
        said = self._ask("version-get", None, "ask for the version")
        head = str(said.get("extended", said) if isinstance(said, dict) else said).split()
        parts = head[0].split(".")[:2] if head else []
        return tuple(int(part) for part in parts if part.isdigit())

    def hears(self, interface: str) -> bool:
        """Whether it listens on an interface, if it runs."""
        if self.now is None or self.path is None:
            return True
        return listens(self.now, self.path, interface, self.batch.root)

    def change(self, change: Callable[[Config], Config], what: str, *, anew: bool = False) -> None:
        """Change what it does and its file alike, once both were found good.

        With `anew` the server is told even what it does already, so that it listens again.

        Raises:
            Refused: one of them is not; neither was changed.
        """
        try:
            now = None if self.now is None else change(self.now)
            file = change(self.file)
        except (Clash, ValueError) as error:
            raise Refused(f"cannot {what}: {error}") from None
        if self.path is None and file != self.file:
            raise Refused(f"cannot {what}: {_NO_SOCKET}")
        if now == self.now and not anew:
            now = None
        if now is not None:
            self._try(now, what)
        if file == self.file:
            self._set(now, what)
            return
        directory, name = directory_of(self.batch, CONFIG)
        with directory:
            seen = directory.stat(name)
            if seen is None:
                raise Refused(f"{CONFIG} is gone")
            access = Access.of(seen)
            if not is_plain(self.text):  # comments would be lost
                directory.put(f"{name}{KEPT}", self.text.encode(), access)
            with directory.begin(name, text_of(file).encode(), access) as begun:
                self._check(f"{CONFIG.rpartition('/')[0]}/{begun.temporary}", what)
                self._set(now, what)
                begun.finish()

    def read_back(self, found: Callable[[Config], Any]) -> Any:
        """What the server has now; None if it does not run."""
        if self.path is None or self.now is None:
            return None
        try:
            config = running(self.path)
        except Silent as error:
            raise Refused(str(error)) from None
        return None if config is None else found(config)

    def _try(self, config: Config, what: str) -> None:
        """Let the server look at a configuration.

        It judges by the interfaces that were there when it was last told one, and loses all that
        it listens on if it is told of one that is not there.

        Raises:
            Refused: it would not take it.
        """
        self._expect_interfaces(config, what)
        try:
            self._ask("config-test", {TOP: config}, what)
        except Refused as error:
            if "interface" not in str(error) or self.now is None:
                raise
            self._expect_interfaces(self.now, what)
            self._ask("config-set", {TOP: self.now}, what)
            self._ask("config-test", {TOP: config}, what)

    def _expect_interfaces(self, config: Config, what: str) -> None:
        """All that it is to listen on must be there.

        Raises:
            Refused: an interface is not.
        """
        names = sorted(interfaces_of(config))
        if gone := [name for name in names if not is_there(name, self.batch.root)]:
            raise Refused(f"cannot {what}: there is no interface {', '.join(gone)} here")

    def _set(self, config: Config | None, what: str) -> None:
        if config is not None:
            self._ask("config-set", {TOP: config}, what)

    def _ask(self, name: str, arguments: Any, what: str) -> Any:
        try:
            told = command(self.path or "", name, arguments)
        except (Silent, ValueError) as error:
            raise Refused(f"cannot {what}: kea-dhcp4 says: {shortened(str(error))}") from None
        if told is None:
            raise Refused(f"cannot {what}: kea-dhcp4 has just ended")
        return told

    def _check(self, path: str, what: str) -> None:
        """Let the program look at a file; its lock would be one that the server could not take.

        Raises:
            Refused: it does not like it.
        """
        if not self.batch.has("kea-dhcp4"):
            return
        path = self.batch.path(path)
        words = ("env", "KEA_LOCKFILE_DIR=none", "kea-dhcp4", "-t", path)
        ran = self.batch.run(words, seconds=_CHECK_SECONDS)
        if ran.code:
            said = shortened(f"{ran.stdout}\n{ran.stderr}".replace(path, CONFIG))
            raise Refused(
                f"cannot {what}: kea-dhcp4 refuses {CONFIG}, which stays as it is: {said}"
            )


@contextmanager
def _made_sense_of() -> Iterator[None]:
    """What the server tells, and what its file says, may have any form.

    Raises:
        Refused: it has not the form it has with Kea.
    """
    try:
        yield
    except (TypeError, AttributeError, KeyError) as error:
        what = f"kea-dhcp4 or {CONFIG} has what makes no sense"
        raise Refused(f"{what} ({type(error).__name__}: {shortened(str(error))})") from None


def _text(batch: Batch) -> str | None:
    """What the file says; None without one.

    Raises:
        Refused: it is no text.
    """
    try:
        return file_text(batch.root)
    except Broken as error:
        raise Refused(str(error)) from None


def _expect_sound(reasons: Iterable[str], what: str) -> None:
    """Nothing is told to the server that it should not send on.

    Raises:
        Refused: something is, with all reasons.
    """
    if told := "; ".join(reasons):
        raise Refused(f"cannot {what}: {told}")


def _expect(told: dict[str, Any], wanted: Mapping[str, Any], what: str) -> None:
    """What was read back is what was wanted.

    Raises:
        Refused: it is not.
    """
    told["options"] = [(each["name"], each["value"]) for each in told["options"]]
    differs = [key for key, value in told.items() if value != wanted[key]]
    if differs:
        raise Refused(f"kea-dhcp4 took {what}, and has another {', '.join(differs)}")


def _as_number(subnet: str) -> int:
    number = 0
    for part in subnet.partition("/")[0].split("."):
        number = number * 256 + int(part)
    return number
