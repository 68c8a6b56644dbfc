"""A site with a distinct secret in each place that may hold one.

The places are files of the operator, addresses with passwords, and encrypted values of the
repository, which is served over https with a login.
"""

from __future__ import annotations

import json
import random
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.forges.bench import APIS
from tests.forges.fake import FakeForge
from tests.forges.project import Project
from tests.remotes.http_git import HttpGit, running_http_git
from tests.remotes.origin import Origin, git
from tests.sealed.sealing import Reader, laid_out, seal
from tests.sealed.seen import put_before

ENVIRONMENTS = ("development", "staging", "production")
HOOK_KINDS = (
    "github", "gitlab", "gitea", "forgejo", "bitbucket-cloud", "bitbucket-server", "generic",
)  # fmt: skip
PER_ENVIRONMENT = 8
_LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_ODD = "'\"\\ /&%{}$`<>|;~^äß漢"
_SEED = slice(216, 256)  # where an ed25519 key's base64 holds nothing but the secret half


@dataclass
class Planted:
    """The site. `secrets` are by place; `root` has everything, `op` what the operator keeps."""

    root: Path
    secrets: dict[str, str]
    config: HttpGit
    journal: HttpGit
    forge: FakeForge
    origin: Origin
    chance: random.Random

    @property
    def op(self) -> Path:
        return self.root / "op"

    @property
    def tree(self) -> Path:
        return self.root / "tree"

    @property
    def settings(self) -> Path:
        return self.op / "reconciler.yaml"

    @property
    def values(self) -> tuple[str, ...]:
        return tuple(self.secrets.values())

    @property
    def environment(self) -> dict[str, str]:
        """What a process of the reconciler is started with."""
        return {
            "PATH": f"{self.root / 'bin'}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.root / "home"),
            "TMPDIR": str(self.root / "tmp"),
            "SSL_CERT_FILE": str(self.root / "both.pem"),
        }

    def word(self, letters: str = _LETTERS, length: int = 24) -> str:
        return "".join(self.chance.choice(letters) for _ in range(length))

    def private(self, name: str, text: str) -> Path:
        path = self.op / name
        path.write_text(text, "utf-8")
        path.chmod(0o600)
        return path

    def clone(self) -> None:
        """A work tree of a person, as it is at the head of production."""
        git(self.root, "clone", "--quiet", "--branch=production", self.origin.url, str(self.tree))


@contextmanager
def planted(root: Path) -> Iterator[Planted]:
    """The site with its servers, for as long as the block."""
    for name in ("op", "home", "tmp", "served", "journals"):
        (root / name).mkdir(parents=True)
    with ExitStack() as stack:
        config = stack.enter_context(running_http_git(root / "served"))
        journal = stack.enter_context(running_http_git(root / "journals"))
        chance, token = random.Random(50), "tkn" + random.Random(51).randbytes(15).hex()
        project = Project()
        api = replace(APIS["gitea"], is_known=lambda headers: token in headers["Authorization"])
        forge = stack.enter_context(FakeForge("gitea", api, project).serving())
        origin = Origin(root / "served" / "origin.git")
        site = Planted(root, {"forge token": token}, config, journal, forge, origin, chance)
        _plant(site)
        yield site


def _plant(site: Planted) -> None:
    readers = {name: _age_key(site, name) for name in (*ENVIRONMENTS, "identity")}
    ssh = {name: _ssh_key(site, name) for name in ("repository", "hosts", "signing", "bootstrap")}
    hooks = _files(site, ssh["hosts"])
    _commit(site, readers)
    _serve(site)
    settings = _settings(site, hooks)
    site.private("reconciler.yaml", json.dumps(settings))
    real = {**settings, "farm": {"kind": "real"}, "state_directory": "../state-real"}
    site.private("real.yaml", json.dumps(real))
    site.clone()
    for name in ("git", "ssh", "ssh-keygen"):
        put_before(site.root / "bin", name, site.root / "called")


def _files(site: Planted, host_key: str) -> dict[str, Any]:
    """What the operator keeps in files; gives the settings of the webhooks."""
    hooks = {}
    for kind in HOOK_KINDS:
        site.secrets[f"hook {kind}"] = secret = site.word()
        site.private(f"hook-{kind}", f"{secret}\n")
        hooks[kind] = {"kind": kind, "secret_file": f"hook-{kind}"}
    for name in ("token of CI", "password of a fresh machine", "set by hand", "typed in an editor"):
        site.secrets[name] = site.word()
    site.private("token", site.secrets["forge token"])
    site.private("ci-token", site.secrets["token of CI"])
    site.private("password", site.secrets["password of a fresh machine"] + "\n")
    site.secrets["TSIG key of a transfer"] = tsig = b64encode(site.chance.randbytes(32)).decode()
    key = f'key "transfer" {{ algorithm hmac-sha256; secret "{tsig}"; }};\n'
    site.private("tsig", key)
    site.private("known_hosts", f"127.0.0.1 {host_key}\n")
    return hooks


def _settings(site: Planted, hooks: Mapping[str, Any]) -> dict[str, Any]:
    """What the operator decides."""
    return {
        **_addresses(site),
        "hosts": {"ssh_key": "hosts", "known_hosts": "known_hosts", "port": 1, "deadline": "2s"},
        "secrets": {"identity": "age-identity", **{n: f"age-{n}" for n in ENVIRONMENTS}},
        "commits": {"signing_key": "signing"},
        "forge": {"kind": "gitea", "url": site.forge.url, "project": "acme/farm",
                  "token_file": "token"},
        "listen": f"unix:{site.root}/web.sock",
        "hooks": hooks,
        "farm": {"kind": "simulated", "file": "../world.yaml"},
        "state_directory": "../state",
    }  # fmt: skip


def _addresses(site: Planted) -> dict[str, Any]:
    """Where the repositories are, with the passwords that the servers ask for."""
    urls = {}
    for name, server, repository in (
        ("repository", site.config, "origin.git"),
        ("journal", site.journal, "journal.git"),
    ):
        site.secrets[f"password of the {name}"] = password = site.word()
        server.login = f"reconciler:{password}"
        login = f"reconciler:{password}@127.0.0.1:{server.port}"
        urls[name] = {"url": f"https://{login}/{repository}"}
    urls["repository"] |= {"ssh_key": "repository", "known_hosts": "known_hosts"}
    return urls


def _serve(site: Planted) -> None:
    site.config.serve(site.origin)
    site.journal.serve(Origin(site.root / "journals" / "journal.git"))
    both = [(site.root / each / "server.pem").read_text() for each in ("served", "journals")]
    (site.root / "both.pem").write_text("".join(both), "utf-8")


def _age_key(site: Planted, name: str) -> Reader:
    reader = Reader()
    text = reader.write(site.op / f"age-{name}").read_text("utf-8").splitlines()[-1]
    site.secrets[f"age key {name}"] = text.removeprefix("AGE-SECRET-KEY-1")
    return reader


def _ssh_key(site: Planted, name: str) -> str:
    """A key pair, of which the public half is given."""
    file = site.op / name
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(file)], check=True
    )
    body = "".join(file.read_text("utf-8").splitlines()[1:-1])
    site.secrets[f"ssh key {name}"] = body[_SEED]
    site.secrets[f"ssh key {name}, decoded"] = b64decode(body)[161:193].hex()
    return file.with_suffix(".pub").read_text("utf-8")


def _commit(site: Planted, readers: Mapping[str, Reader]) -> None:
    files: dict[str, bytes] = {}
    for number, name in enumerate(ENVIRONMENTS):
        sealed = {f"s{each}": site.word(_LETTERS + _ODD, 16) + site.word() for each in range(5)}
        sealed |= {f"t{each}": site.word() for each in range(PER_ENVIRONMENT - 5)}
        tsig = b64encode(site.chance.randbytes(32)).decode()
        site.secrets |= {f"value {key} of {name}": value for key, value in sealed.items()}
        site.secrets |= {f"TSIG key of {name}": tsig, f"passphrase of {name}": site.word()}
        kept = {**sealed, "tsig": tsig, "disk": site.secrets[f"passphrase of {name}"]}
        kept["spare"] = "which nothing refers to"
        text = seal(kept, [readers[name].recipient, readers["identity"].recipient])
        files[f"secrets/{name}.sops.yaml"] = laid_out(text).encode()
        domain = "farm.internal" if name == "production" else f"{name[:3]}.farm.internal"
        files |= _yaml(f"environments/{name}/environment.yaml",
                       kind="Environment", name=name, domain=domain)  # fmt: skip
        files |= _yaml(f"hosts/virt{number}.yaml", **_host(name, number, sealed))
    files |= _yaml("farm.yaml", kind="Farm", name="farm", domain="farm.internal",
                   contact="noc@farm.internal")  # fmt: skip
    files |= _names()
    age = ",".join(each.recipient for each in readers.values())
    files |= _yaml(".sops.yaml", creation_rules=[{"path_regex": "^secrets/", "age": age}])
    first = site.origin.commit("production", files, message="Describe the farm")
    for branch in ("staging", "development"):
        site.origin.git("branch", branch, first)
    changed = files["farm.yaml"].replace(b"noc@", b"hostmaster@")
    site.origin.git("branch", "feature/contact", first)
    site.origin.commit("feature/contact", {"farm.yaml": changed}, message="Another contact")


def _yaml(path: str, **document: Any) -> dict[str, bytes]:
    return {path: json.dumps(document).encode()}


def _host(environment: str, number: int, sealed: Mapping[str, str]) -> dict[str, Any]:
    lines = "".join(f"{key} = secret://{environment}/{key}\n" for key in sealed)
    return {
        "kind": "Host",
        "name": f"virt{number}",
        "environment": environment,
        "address": f"127.0.0.{11 + number}",
        "memory": "64 GiB",
        "packages": [{"name": "app"}],
        "services": [{"name": "app", "reads": ["/etc/app.conf"]}],
        "files": [{"path": "/etc/app.conf", "content": lines}],
        "install": {
            "disks": ["/dev/sda", "/dev/sdb"],
            "raid": 1,
            "image": "Debian-1208-bookworm-amd64-base.tar.gz",
            "partitions": [{"name": "root", "path": "/", "size": "64 GiB"}],
            "data": [
                {"name": "z0", "encrypted": True, "passphrase": f"secret://{environment}/disk"}
            ],
        },
    }


def _names() -> dict[str, bytes]:
    keys = {name: f"secret://{name}/tsig" for name in ENVIRONMENTS}
    server = _yaml(
        "nameservers/ns.yaml", kind="Nameserver", name="ns", environment="production",
        address="127.0.0.53", keys=keys,
    )  # fmt: skip
    record = {"name": "ns1", "type": "A", "values": ["127.0.0.53"]}
    zone = _yaml(
        "zones/farm.yaml", kind="Zone", name="farm.internal", environment="production",
        server="ns", primary="ns1.farm.internal.", nameservers=["ns1.farm.internal."],
        records=[record], share={"development": {"below": ["dev"]}, "staging": {"below": ["sta"]}},
    )  # fmt: skip
    return server | zone
