"""Forges, as far as a receiver sees them: what they send, and how they sign it."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).parents[1] / "corpus/webhooks"
SECRET = "it is a secret to everybody"
TOKEN = "whsec_" + base64.b64encode(b"thirty-two bytes, all of them ok").decode()
START = 1893456000  # 2030-01-01, where the clocks of tests begin
KINDS = (
    "github",
    "gitlab",
    "gitlab-signed",
    "gitea",
    "forgejo",
    "bitbucket-cloud",
    "bitbucket-server",
    "generic",
)


@dataclass(frozen=True, slots=True)
class Sample:
    """Something that a forge sends, before it is signed."""

    kind: str
    event: str
    payload: Any
    repository: str = ""

    @property
    def body(self) -> bytes:
        return json.dumps(self.payload, ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True)
class Post:
    """A delivery as it goes over the wire."""

    headers: Mapping[str, str]
    body: bytes


@cache
def github_samples() -> tuple[Sample, ...]:
    with gzip.open(CORPUS / "github.jsonl.gz", "rt", encoding="utf-8") as lines:
        read = [json.loads(line) for line in lines]
    return tuple(Sample("github", each["event"], each["payload"]) for each in read)


@cache
def other_samples() -> tuple[Sample, ...]:
    described = json.loads((CORPUS / "others.json").read_text("utf-8"))
    described["gitlab-signed"] = described["gitlab"]
    described["forgejo"] = described["gitea"]
    described["generic"] = [
        {"event": "push", "repository": "infra/farm", "payload": {"repository": "infra/farm"}}
    ]
    return tuple(
        Sample(kind, each["event"], each["payload"], each["repository"])
        for kind, samples in described.items()
        for each in samples
    )


def push_of(kind: str) -> Sample:
    """A push as this kind of forge tells of it."""
    if kind == "github":
        return next(each for each in github_samples() if each.event == "push")
    return next(each for each in other_samples() if each.kind == kind)


def secret_of(kind: str) -> str:
    return TOKEN if kind == "gitlab-signed" else SECRET


def hexadecimal(body: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def signed(
    sample: Sample, delivery: str = "d-1", secret: str | None = None, at: int = START
) -> Post:
    """What the forge sends."""
    key = secret if secret is not None else secret_of(sample.kind)
    body = sample.body
    return Post({**_names(sample, delivery), **_proof(sample.kind, body, key, delivery, at)}, body)


def _names(sample: Sample, delivery: str) -> dict[str, str]:
    event, name = {
        "github": ("X-GitHub-Event", "X-GitHub-Delivery"),
        "gitlab": ("X-Gitlab-Event", "Idempotency-Key"),
        "gitlab-signed": ("X-Gitlab-Event", "Idempotency-Key"),
        "gitea": ("X-Gitea-Event", "X-Gitea-Delivery"),
        "forgejo": ("X-Forgejo-Event", "X-Forgejo-Delivery"),
        "bitbucket-cloud": ("X-Event-Key", "X-Request-UUID"),
        "bitbucket-server": ("X-Event-Key", "X-Request-Id"),
        "generic": ("X-Event", "X-Delivery"),
    }[sample.kind]
    return {"Content-Type": "application/json", event: sample.event, name: delivery}


def _proof(kind: str, body: bytes, key: str, delivery: str, at: int) -> dict[str, str]:
    if kind == "gitlab-signed":
        raw = base64.b64decode(key.removeprefix("whsec_"))
        digest = hmac.digest(raw, f"{delivery}.{at}.".encode() + body, "sha256")
        signature = "v1," + base64.b64encode(digest).decode()
        return {
            "webhook-id": delivery,
            "webhook-timestamp": str(at),
            "webhook-signature": signature,
        }
    value = hexadecimal(body, key)
    return {
        "github": {"X-Hub-Signature-256": f"sha256={value}"},
        "gitlab": {"X-Gitlab-Token": key},
        "gitea": {"X-Gitea-Signature": value},
        "forgejo": {"X-Forgejo-Signature": value, "X-Hub-Signature-256": f"sha256={value}"},
        "bitbucket-cloud": {"X-Hub-Signature": f"sha256={value}"},
        "bitbucket-server": {"X-Hub-Signature": f"sha256={value}"},
        "generic": {"X-Signature-256": f"sha256={value}"},
    }[kind]
