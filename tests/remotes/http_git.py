"""Git over https on loopback: git's own `http-backend` behind a small server.

The server can be slow, ask for a login, answer with an error, or go away. What a push may do is
decided by the hooks of the repository, as with any other remote.
"""

from __future__ import annotations

import base64
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from pathlib import Path
from urllib.parse import urlsplit

from tests.remotes.origin import Origin, git

ADDRESS = "127.0.0.1"
BACKEND = Path("/usr/lib/git-core/git-http-backend")
_DEADLINE_SECONDS = 60


@dataclass
class HttpGit:
    """A server of the repositories below a directory. What is set counts from the next request.

    `delay_seconds` is how long it thinks before each answer, `login` the one login it lets in,
    `failure` the status that it answers with instead of asking git. `asked` are the requests.
    """

    root: Path
    certificate: Path
    delay_seconds: float = 0.0
    login: str | None = None
    failure: int | None = None
    asked: list[str] = field(default_factory=list)
    _stopped: threading.Event = field(default_factory=threading.Event)
    _server: _Server | None = None

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.server_address[1])

    def url(self, origin: Origin, login: str | None = None) -> str:
        """The address of a repository, with a login (`user:password`) or without."""
        at = f"{login}@" if login else ""
        return f"https://{at}{ADDRESS}:{self.port}/{origin.path.relative_to(self.root)}"

    def serve(self, origin: Origin) -> None:
        """Let everybody push to a repository."""
        git(origin.path, "config", "http.receivepack", "true")

    def start(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.certificate.with_suffix(".key"))
        server = _Server(self)
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        self._server = server
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()  # who is being kept waiting is let go
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def think(self) -> None:
        self._stopped.wait(self.delay_seconds)


@contextmanager
def running_http_git(root: Path) -> Iterator[HttpGit]:
    """A server of the repositories below `root`, for as long as the block.

    Who is to trust it is given `SSL_CERT_FILE=certificate`.
    """
    server = HttpGit(root, make_certificate(root / "server.pem"))
    server.start()
    try:
        yield server
    finally:
        server.stop()


def make_certificate(file: Path) -> Path:
    """A certificate of its own for the loopback address; its key lies beside it."""
    given = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30")
    name = ("-subj", "/CN=127.0.0.1", "-addext", f"subjectAltName=IP:{ADDRESS}")
    files = ("-keyout", str(file.with_suffix(".key")), "-out", str(file))
    subprocess.run(
        ["openssl", "req", "-x509", *given, *name, *files], check=True, stderr=subprocess.DEVNULL
    )
    return file


class _Server(ThreadingHTTPServer):
    """The server, which knows what it serves."""

    daemon_threads = True

    def __init__(self, served: HttpGit) -> None:
        super().__init__((ADDRESS, 0), _Handler)
        self.served = served


class _Handler(BaseHTTPRequestHandler):
    """One request, handed to git as CGI."""

    timeout = _DEADLINE_SECONDS
    server: _Server

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        """Nothing is written to the terminal."""

    def _answer(self) -> None:
        body = self._body()
        served = self.server.served
        served.asked.append(f"{self.command} {self.path}")
        served.think()
        with suppress(OSError):  # the client has gone meanwhile
            if served.failure is not None:
                self.send_error(served.failure)
            elif not self._is_let_in(served.login):
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="git"')
                self.end_headers()
            else:
                self._pass_on(self._of_git(body))

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return b"".join(_chunks(self.rfile))
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _is_let_in(self, login: str | None) -> bool:
        given = self.headers.get("Authorization", "")
        wanted = base64.b64encode((login or "").encode()).decode()
        return login is None or given == f"Basic {wanted}"

    def _of_git(self, body: bytes) -> bytes:
        parts = urlsplit(self.path)
        environment = {
            "PATH": "/usr/bin:/bin",
            "GIT_PROJECT_ROOT": str(self.server.served.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "REQUEST_METHOD": self.command,
            "PATH_INFO": parts.path,
            "QUERY_STRING": parts.query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "REMOTE_ADDR": ADDRESS,
        }
        return subprocess.run(
            [BACKEND],
            input=body,
            env=environment,
            capture_output=True,
            timeout=_DEADLINE_SECONDS,
            check=False,
        ).stdout

    def _pass_on(self, said: bytes) -> None:
        head, _, content = said.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode("latin-1").split("\r\n"))
        self.send_response(int(headers.pop("Status", "200 OK").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _chunks(stream: BufferedIOBase) -> Iterator[bytes]:
    """The parts of a body whose length was not said at its beginning."""
    while size := int(stream.readline().split(b";")[0], 16):
        yield stream.read(size)
        stream.readline()
    stream.readline()
