"""An https server on loopback that serves images well or badly, under names of its own CA."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

NAMES = ("images.example", "mirror.example")
HERE, ELSEWHERE = IPv4Address("127.0.0.1"), IPv4Address("127.0.0.2")
Answer = Callable[["Handler"], None]
PIECE = b"x" * 4096


class Handler(BaseHTTPRequestHandler):
    """Answers as the test says for the path."""

    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.site.asked.append((self.headers["Host"], self.path))
        self.close_connection = True
        self.server.site.answers[self.path](self)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        del format, args


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = True

    def __init__(self, site: Site, address: str, port: int) -> None:
        self.site = site
        super().__init__((address, port), Handler)
        self.socket = server_tls().wrap_socket(
            self.socket, server_side=True, do_handshake_on_connect=False
        )

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are what most of the tests are about."""


@dataclass
class Site:
    """One server: what it answers, and what it was asked (Host header and path)."""

    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    port: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str = "/i.qcow2", name: str = NAMES[0]) -> str:
        return f"https://{name}:{self.port}{path}"

    def says(self, answer: Answer, path: str = "/i.qcow2") -> Self:
        self.answers[path] = answer
        return self


@contextmanager
def serving(address: IPv4Address = HERE, port: int = 0) -> Iterator[Site]:
    site = Site()
    server = Server(site, str(address), port)
    site.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield site
    finally:
        site.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()


def body(content: bytes, *, claimed_bytes: int | None = None) -> Answer:
    """All of it, with its length or the length that it claims."""

    def answer(handler: Handler) -> None:
        handler.send_response(200)
        length = len(content) if claimed_bytes is None else claimed_bytes
        handler.send_header("Content-Length", str(length))
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def redirect(location: str, status: int = 302) -> Answer:
    def answer(handler: Handler) -> None:
        handler.send_response(status)
        handler.send_header("Location", location)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def status(number: int) -> Answer:
    def answer(handler: Handler) -> None:
        handler.send_response(number)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def endless(handler: Handler) -> None:
    """Bytes for as long as somebody takes them."""
    handler.send_response(200)
    handler.end_headers()
    while not handler.server.site.stopping.is_set():
        handler.wfile.write(PIECE)


def dripping(handler: Handler) -> None:
    """A byte now and then, which holds off every timeout of single reads."""
    handler.send_response(200)
    handler.end_headers()
    while not handler.server.site.stopping.wait(0.02):
        handler.wfile.write(b"x")


def dripping_headers(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not handler.server.site.stopping.wait(0.02):
        handler.wfile.write(b"x")


def silent(handler: Handler) -> None:
    handler.server.site.stopping.wait(60)


@cache
def _authority() -> tuple[x509.Certificate, bytes]:
    """A CA of our own, and a certificate with its key for our names, as PEM."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "CA of a test")])
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAMES[0])])
    constraint = x509.BasicConstraints(ca=True, path_length=0)
    ca = _certificate(ca_name, ca_name, ca_key.public_key())
    ca = ca.add_extension(constraint, critical=True)
    names = x509.SubjectAlternativeName([x509.DNSName(each) for each in (*NAMES, "localhost")])
    leaf = _certificate(name, ca_name, key.public_key()).add_extension(names, critical=False)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    signed = leaf.sign(ca_key, hashes.SHA256()).public_bytes(Encoding.PEM)
    return ca.sign(ca_key, hashes.SHA256()), secret + signed


def _certificate(name: x509.Name, issuer: x509.Name, key: Any) -> x509.CertificateBuilder:
    now = datetime.now(UTC)  # noqa: TID251 - TLS compares with the real time
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
    )


def authority_pem() -> str:
    """The certificate of our CA."""
    return _authority()[0].public_bytes(Encoding.PEM).decode()


def client_tls(authority: str = "") -> ssl.SSLContext:
    """What trusts our CA (or that of another process, as PEM) and nobody else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=authority or authority_pem())
    return context


def server_tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with TemporaryDirectory() as directory:
        file = Path(directory) / "server.pem"
        file.write_bytes(_authority()[1])
        context.load_cert_chain(file)
    return context
