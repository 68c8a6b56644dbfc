"""Images from the web: https only, to addresses that were judged, within limits that hold."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address

import httpx

from reconciler.drivers.images.rules import ImageRules, IpAddress, Judgement
from reconciler.engine.cutoff import Cutoff
from reconciler.errors import Denied, DriverError, NotFound, Unreachable
from reconciler.model.quantity import format_duration

MOST_REDIRECTS = 3
STALL_SECONDS = 30.0
CHUNK_BYTES = 256 * 1024
HTTPS_PORT = 443
PORTS = range(1, 2**16)
_LATER = frozenset({408, 425, 429})
_MISSING = frozenset({404, 410})
_OK, _SERVER_FAULTS = 200, 500
Sink = Callable[[bytes], None]


def resolve(name: str, port: int) -> tuple[IpAddress, ...]:
    """The addresses of a name, the preferred first.

    Raises:
        OSError: it has none.
    """
    found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(ip_address(entry[4][0]) for entry in found))


@dataclass(frozen=True, slots=True)
class Web:
    """What fetches images over https.

    `allows_address` is for tests, whose servers are where no image may ever come from; without it
    the rules judge.
    """

    rules: ImageRules
    monotonic: Callable[[], float]
    resolve: Callable[[str, int], Sequence[IpAddress]] = resolve
    allows_address: Judgement | None = None
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    def fetch(self, url: str, operation: str, sink: Sink) -> None:
        """Give the bytes at an address to `sink`, piece by piece.

        Raises:
            Denied: the rules, or the server, do not let us.
            NotFound: there is nothing.
            Unreachable: no whole answer in time.
        """
        ends = self.monotonic() + self.rules.deadline.total_seconds()
        place: httpx.URL | None = _url(url, operation)
        for _ in range(MOST_REDIRECTS + 1):
            if place is None:
                return
            place = _Visit(self, place, operation, ends).make(sink)
        if place is not None:
            raise Denied(place.host, operation, f"more than {MOST_REDIRECTS} redirects lead there")


@dataclass(frozen=True, slots=True)
class _Visit:
    """One request: to where, what for, and until when on the monotonic clock."""

    web: Web
    place: httpx.URL
    operation: str
    ends: float

    def make(self, sink: Sink) -> httpx.URL | None:
        """Give the body to `sink`, or return where the server sends us instead."""
        *others, last = self._addresses()
        for address in others:
            try:
                return self._ask(address, sink)
            except _NoConnection:
                continue
        return self._ask(last, sink)

    def _addresses(self) -> Sequence[IpAddress]:
        """Where to connect to, every one of them judged."""
        place, rules = self.place, self.web.rules
        if place.scheme != "https" or place.userinfo or not place.host:
            raise self._denied("images come over https:// without a user, or from a file")
        port = HTTPS_PORT if place.port is None else place.port
        if port not in PORTS:
            raise self._denied(f"{port} is no port")
        if not rules.allows_host(place.host):
            raise self._denied(
                "images.allowed_hosts does not name it; add it if it is to be trusted"
            )
        try:
            found = self.web.resolve(place.host, port)
        except (OSError, UnicodeError) as error:
            raise self._unreachable(f"its address is not to be had: {error}") from None
        if not found:
            raise self._unreachable("it has no address")
        judge = self.web.allows_address or rules.allows_address
        wrong = ", ".join(str(address) for address in found if not judge(address))
        if wrong:
            raise self._denied(
                f"it is at {wrong}, which is not in the internet, and images are not fetched from "
                "this machine, its links or (unless images.private_networks says so) its networks"
            )
        return found

    def _ask(self, address: IpAddress, sink: Sink) -> httpx.URL | None:
        left = self.ends - self.web.monotonic()
        with Cutoff(left) as cutoff:
            try:
                with self._client(left) as client:
                    response = client.send(self._request(client, address, cutoff), stream=True)
                    if response.has_redirect_location:
                        return self.place.join(response.headers["Location"])
                    self._take(response, sink)
                if late := self._late(cutoff):  # what was cut off can look like an end
                    raise late
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                raise self._late(cutoff) or _NoConnection(
                    self.place.host, self.operation, f"{address}: {error}"
                ) from None
            except (httpx.TransportError, httpx.InvalidURL) as error:
                cause = f"{type(error).__name__}: {error}"
                raise self._late(cutoff) or self._unreachable(cause) from None
        return None

    def _client(self, left: float) -> httpx.Client:
        """A client that heeds no proxy or netrc of the environment."""
        timeout = max(0.001, min(STALL_SECONDS, left))
        return httpx.Client(verify=self.web.tls, trust_env=False, timeout=timeout)

    def _request(self, client: httpx.Client, address: IpAddress, cutoff: Cutoff) -> httpx.Request:
        """To the judged address, while name, certificate and Host header stay those of the URL."""
        return client.build_request(
            "GET",
            self.place.copy_with(host=str(address)),
            headers={"Host": self.place.netloc.decode(), "Accept-Encoding": "identity"},
            extensions={"sni_hostname": self.place.host, "trace": cutoff.trace},
        )

    def _take(self, response: httpx.Response, sink: Sink) -> None:
        self._check_status(response.status_code)
        said = response.headers.get("Content-Length", "")
        self._check_size(int(said) if said.isascii() and said.isdigit() else 0)
        taken = 0
        for chunk in response.iter_raw(CHUNK_BYTES):
            taken += len(chunk)
            self._check_size(taken)
            if self.web.monotonic() >= self.ends:
                raise self._too_slow()
            sink(chunk)

    def _check_status(self, status: int) -> None:
        answer = f"the server answered {status}"
        if status in _MISSING:
            raise NotFound(self.place.host, self.operation, f"{answer} for {self.place.path}")
        if status in _LATER or status >= _SERVER_FAULTS:
            raise self._unreachable(answer)
        if status != _OK:
            raise self._denied(f"{answer} for {self.place.path}")

    def _check_size(self, size_bytes: int) -> None:
        if reason := self.web.rules.too_large(size_bytes):
            raise self._denied(reason)

    def _late(self, cutoff: Cutoff) -> DriverError | None:
        return self._too_slow() if cutoff.is_due or self.web.monotonic() >= self.ends else None

    def _too_slow(self) -> Unreachable:
        limit = format_duration(self.web.rules.deadline)
        return self._unreachable(f"it was not all here within {limit} (images.deadline)")

    def _denied(self, cause: str) -> Denied:
        return Denied(self.place.host, self.operation, cause)

    def _unreachable(self, cause: str) -> Unreachable:
        return Unreachable(self.place.host, self.operation, cause)


def _url(text: str, operation: str) -> httpx.URL:
    try:
        return httpx.URL(text)
    except httpx.InvalidURL as error:
        raise Denied(text[:200], operation, f"it is no address: {error}") from None


class _NoConnection(Unreachable):
    """This address does not answer; another one of the name may."""
