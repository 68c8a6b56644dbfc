"""The calls of a forge: each within a deadline, a size and one host, never again and again."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from math import ceil
from pathlib import Path
from typing import TypeVar

import httpx
from pydantic import TypeAdapter, ValidationError

from reconciler.engine.cutoff import Cutoff
from reconciler.errors import Conflict, SettingsError, Unreachable
from reconciler.gitops.forges.answers import FAULT, UNAUTHORIZED, Answer, Call, trouble
from reconciler.gitops.forges.token import Token
from reconciler.gitops.forges.weary import Weary, asked_too_much, pause_seconds
from reconciler.model.quantity import format_duration
from reconciler.plan.show.misfit import misfits

T = TypeVar("T")
LIST_BYTES = 8 * 1024 * 1024
MOST_PAGES = 20
MOST_REDIRECTS = 2
_SAME_METHOD, _OF_READING = frozenset({307, 308}), frozenset({301, 302})
_COMMON = {"User-Agent": "kvm-reconciler", "Accept-Encoding": "identity"}
Headers = Callable[[Token], Mapping[str, str]]


class Client:
    """Talks to the API of one forge. It may be used by several threads.

    A forge that fails again and again, or says that we ask too much, is left alone for a while:
    its calls are Unreachable then, without being made.
    """

    def __init__(
        self,
        base: str,
        token: Callable[[], Token],
        headers: Headers,
        *,
        monotonic: Callable[[], float],
        deadline: timedelta = timedelta(seconds=15),
        ca_file: Path | None = None,
    ) -> None:
        """`base` is the address of the API, without a slash at its end.

        Raises:
            SettingsError: `ca_file` holds no certificates.
        """
        self._base = httpx.URL(base)
        self._token, self._headers = token, headers
        self._monotonic, self._deadline = monotonic, deadline
        self._weary = Weary(monotonic)
        try:
            self._tls = _trust(self._base, ca_file)
        except OSError as error:
            raise SettingsError("forge.ca_file", [f"{ca_file}: {error}"]) from error

    @property
    def base(self) -> str:
        """The address of the API."""
        return str(self._base)

    def ask(self, call: Call, form: type[T]) -> T:
        """What the forge answers, as `form`.

        Raises:
            Unreachable: no whole and sensible answer in time, or it is left alone for a while.
            Denied: the token may not do that.
            NotFound: it is not there, or the token may not see it.
            Conflict: what is there forbids it.
        """
        return self._read(call, self._answer(call), form)

    def do(self, call: Call) -> None:
        """Have something done whose answer says nothing; raises as `ask` does."""
        self._answer(call)

    def pages(self, call: Call, form: type[T]) -> tuple[T, ...]:
        """All that a list holds; raises as `ask` does.

        Raises:
            Conflict: it is too long to be read to its end.
        """
        found: list[T] = []
        for page in range(1, MOST_PAGES + 1):
            each = replace(call, query={**call.query, "page": page}, most_bytes=LIST_BYTES)
            answer = self._answer(each)
            # Where the next page is said to be is not heeded, only that there is one.
            found += self._read(each, answer, list[form])  # type: ignore[valid-type] # at run time
            if not answer.has_more:
                return tuple(found)
        cause = f"the list has more than {MOST_PAGES} pages, and is not read"
        raise Conflict(self._host, call.operation, cause)

    @property
    def _host(self) -> str:
        return self._base.host

    def _read(self, call: Call, answer: Answer, form: type[T]) -> T:
        try:
            return TypeAdapter(form).validate_json(answer.content)
        except ValidationError as error:
            wrong = misfits(error)
        # Outside, so that what was answered does not hang on to the error as its context.
        hint = "is forge.url the address of its API?"
        raise self._unreachable(call, f"the answer is not what it should be ({wrong}); {hint}")

    def _answer(self, call: Call) -> Answer:
        if left := self._weary.left_seconds():
            rest = format_duration(timedelta(seconds=ceil(left)))
            raise self._unreachable(call, f"it is left alone for {rest}, after it failed")
        token = self._token()
        try:
            answer = self._tried(call, token)
            problem = trouble(self._host, call, answer)
        except Unreachable:
            self._weary.failed()
            raise
        if asked_too_much(answer.status, answer.headers):
            self._weary.told_to_wait(pause_seconds(answer.headers))
            raise self._unreachable(call, f"it answered {answer.status}: we ask too much")
        if isinstance(problem, Unreachable) or answer.status == UNAUTHORIZED:
            self._weary.failed()
        else:
            self._weary.well()
        if problem is not None:
            raise type(problem)(problem.where, problem.operation, token.masked(problem.cause))
        return answer

    def _tried(self, call: Call, token: Token) -> Answer:
        """The answer, of the second attempt if the first failed and asking twice does no harm."""
        start, whole = self._monotonic(), self._deadline.total_seconds()
        if call.repeatable:
            with suppress(Unreachable):
                answer = self._followed(call, token, start + whole / 2)
                if answer.status < FAULT:
                    return answer
        return self._followed(call, token, start + whole)

    def _followed(self, call: Call, token: Token, ends: float) -> Answer:
        """The answer, behind redirects that do not lead to another host: the token is ours."""
        above = b"" if call.is_from_root else self._base.raw_path.rstrip(b"/")
        place = self._base.copy_with(raw_path=above + call.way.encode())
        place = place.copy_merge_params(call.query) if call.query else place
        answer = self._once(call, place, token, ends)
        for _ in range(MOST_REDIRECTS):
            following = _inside(call, place, answer)
            if following is None:
                break
            place = following
            answer = self._once(call, place, token, ends)
        return answer

    def _once(self, call: Call, place: httpx.URL, token: Token, ends: float) -> Answer:
        left = ends - self._monotonic()
        if left <= 0:
            raise self._too_slow(call)
        with Cutoff(left) as cutoff:
            try:
                with httpx.Client(verify=self._tls, trust_env=False, timeout=left) as client:
                    request = client.build_request(
                        call.method,
                        place,
                        json=call.body,
                        headers={**_COMMON, **self._headers(token)},
                        extensions={"trace": cutoff.trace},
                    )
                    answer = self._taken(call, client.send(request, stream=True))
            except (httpx.TransportError, httpx.InvalidURL, httpx.DecodingError) as error:
                if cutoff.is_due or isinstance(error, httpx.TimeoutException):
                    raise self._too_slow(call) from None
                cause = token.masked(f"{type(error).__name__}: {error}")
                raise self._unreachable(call, cause) from None
            if cutoff.is_due:  # what was cut off can look like an end
                raise self._too_slow(call)
        return answer

    def _taken(self, call: Call, response: httpx.Response) -> Answer:
        content = bytearray()
        for chunk in response.iter_raw():
            content += chunk
            if len(content) > call.most_bytes:
                raise self._unreachable(call, f"the answer has more than {call.most_bytes} bytes")
        has_more = "next" in response.links
        return Answer(response.status_code, response.headers, bytes(content), has_more)

    def _too_slow(self, call: Call) -> Unreachable:
        limit = format_duration(self._deadline)
        return self._unreachable(call, f"no whole answer within {limit} (forge.deadline)")

    def _unreachable(self, call: Call, cause: str) -> Unreachable:
        return Unreachable(self._host, call.operation, cause)


def _trust(base: httpx.URL, ca_file: Path | None) -> ssl.SSLContext:
    """Whose certificates are trusted. On this machine a forge may do without, and none is read."""
    if base.scheme == "https":
        return ssl.create_default_context(cafile=ca_file)
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # which trusts nobody


def _inside(call: Call, place: httpx.URL, answer: Answer) -> httpx.URL | None:
    """Where a redirect leads, if that is the same host, port and scheme: a renamed project."""
    followed = _OF_READING | _SAME_METHOD if call.method == "GET" else _SAME_METHOD
    if answer.status not in followed:
        return None
    try:
        new = place.join(answer.headers.get("Location", ""))
    except httpx.InvalidURL:
        return None
    same = (new.scheme, new.host, new.port) == (place.scheme, place.host, place.port)
    return new if same and not new.userinfo else None
