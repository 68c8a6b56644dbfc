"""A scene whose environments have gates, with people who have real keys."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from reconciler.config.gates import GateFloor
from reconciler.gitops.forges.port import Forge
from reconciler.gitops.gates.evidence import Witness
from reconciler.gitops.gates.gatekeeper import Gatekeeper
from reconciler.gitops.gates.keyring import Keys
from reconciler.gitops.gates.signatures import Signatures
from reconciler.gitops.report import Report
from reconciler.model.condition import Condition, ConditionType
from reconciler.plan.guards import Violation
from tests.remotes.origin import Special
from tests.remotes.signing import Desk, Key, SshKey
from tests.scenes.scene import Scene

WEB = "vms/web-1.yaml"
RULES = "environments/production/environment.yaml"


def web(memory_gib: int) -> dict[str, bytes | Special | None]:
    """The document of web-1 with so much memory."""
    return {
        WEB: b"kind: VirtualMachine\nname: web-1\nstack: debian-web\nmemory: %d GiB\n"
        b"disks:\n  - {name: data, size: 8 GiB}\n"
        b"networks:\n  - {network: lan, address: 192.168.1.129}\n" % memory_gib
    }


class Gated(Scene):
    """Production has gates. What was there before them is in force."""

    def __init__(self, root: Path, **floor: Any) -> None:
        super().__init__(root)
        self.keys = Keys()
        self.forge: Forge | None = None
        self.floor = GateFloor()
        self.alice = self.person("Alice")
        self.bob = self.person("Bob")
        self.carol = self.person("Carol")
        self._guard()
        self.sync()
        self.ask(**floor)

    def _guard(self) -> None:
        source, chronicle = self.site.source, self.site.chronicle
        signatures = Signatures(source.mirror.git, lambda: self.keys, self.root / "signers")
        witness = Witness(source, chronicle, signatures, lambda: self.forge, self.clock.now)
        self.keeper = Gatekeeper(
            witness,
            lambda name: self.floor if name == "production" else GateFloor(),
            self.clock.now,
        )
        told = replace(chronicle, verified=self.keeper.said)
        self.site = replace(self.site, chronicle=told, gates=self.keeper.closed)

    def ask(self, **floor: Any) -> None:
        """The operator's gates of production."""
        self.floor = GateFloor.model_validate(floor)

    def allow(self, *people: Desk, gpg: str = "") -> None:
        """The operator allows these people's ssh keys, and exported GPG keys."""
        lines = [p.key.allowed() for p in people if isinstance(p.key, SshKey)]
        self.keys = Keys("".join(lines).encode(), gpg.encode() or None)

    def person(self, name: str, key: Key | None = None) -> Desk:
        """Somebody with a key: by default a new ssh key."""
        mail = f"{name.lower()}@farm.internal"
        return Desk(self.origin, name, mail, key or SshKey.made(self.root, mail))

    def tree(self, memory_gib: int, **more: bytes) -> str:
        """The tree of production's head with so much memory for web-1, and other rules."""
        files = web(memory_gib) | ({RULES: more["rules"]} if "rules" in more else {})
        head = str(self.origin.head("production"))
        made = self.origin.commit("scratch", files, parents=(head,))
        self.origin.git("update-ref", "-d", "refs/heads/scratch")
        return self.origin.git("rev-parse", f"{made}^{{tree}}")

    def rules(self, *lines: str) -> bytes:
        """The Environment document of production with more lines."""
        return (
            self.origin.git("show", f"production:{RULES}").encode()
            + "\n".join(("", *lines, "")).encode()
        )

    def gib(self) -> int:
        """The memory of web-1 as it is."""
        return self.domain("production-web-1")[1].definition.memory_bytes >> 30

    def verified(self) -> Condition | None:
        """What is said about signatures."""
        found = {each.type: each for each in self.status().conditions}
        return found.get(ConditionType.SOURCE_VERIFIED)


def shut(report: Report) -> dict[str, Violation]:
    """The closed gates of a turn, by name."""
    if report.refusal is None:
        return {}
    violations = getattr(report.refusal.error, "violations", None)
    if violations is None:
        raise report.refusal.error
    return {each.name: each for each in violations}
