"""What a bootstrap is done with: the ways into the machine, the pins, and a person to ask."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Self

import click

from reconciler.cli.checkup import host_findings
from reconciler.cli.command import Failure
from reconciler.cli.doctor import write_findings
from reconciler.cli.formats import Format
from reconciler.cli.repository import Repository, pause
from reconciler.cli.terminal import remark, screen
from reconciler.cli.world import access_of
from reconciler.config.documents import Host
from reconciler.daemon.clock import SystemClock
from reconciler.drivers.redact import redact
from reconciler.drivers.secrets import Keyring
from reconciler.drivers.ssh.access import Access
from reconciler.drivers.ssh.pins import pin
from reconciler.drivers.ssh.shell import Shell
from reconciler.drivers.ssh.trial import Sight, fingerprint, first_sight
from reconciler.engine.bootstrap import Hands, carry_out
from reconciler.errors import Conflict, Denied, Stalled, Unreachable
from reconciler.model.secret import SecretReference
from reconciler.plan.checkup.finding import is_sound
from reconciler.plan.show.escape import visible
from reconciler.render.bootstrap.every import CHECK, LET_IN, PIN
from reconciler.render.bootstrap.rescue import (
    ADOPT_KEY,
    IS_INSTALLED,
    IS_RESCUE,
    NEW_HOST_KEY,
    WAIT,
)
from reconciler.render.bootstrap.step import Command, Door, Step

REBOOTED = timedelta(minutes=20)
PAUSE_SECONDS = 5.0
ASK_DEADLINE = timedelta(seconds=60)
_COMPARE = "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub on its console"


@dataclass(frozen=True, slots=True)
class Answers:
    """What the command line says already of what would be asked."""

    password_file: Path | None = None
    key: Path | None = None
    host_key: str | None = None
    typed: str | None = None


@dataclass
class Machine:
    """A machine behind one of the doors; see `engine.bootstrap.Bare`."""

    shell: Shell
    passphrase: Callable[[str], str]

    def says_yes(self, command: Command) -> bool:
        """Whether a command that changes nothing succeeds."""
        stdin = command.stdin.encode()
        result = self.shell.run(
            command.argv, stdin=stdin, deadline=ASK_DEADLINE, operation="see what is done"
        )
        return result.exit_code == 0

    def carry_out(self, command: Command, deadline: timedelta) -> None:
        """Run a command that changes something."""
        secret = self.passphrase(command.passphrase) if command.passphrase else ""
        try:
            self.shell.output(
                command.argv,
                stdin=(secret or command.stdin).encode(),
                deadline=deadline,
                exclusive=True,
                operation="bootstrap",
            )
        except Conflict as error:
            cause = redact(error.cause, [secret] if secret else [])
            raise Conflict(error.where, error.operation, cause) from None


@dataclass
class Bootstrap:
    """One bootstrap. The doors are opened when they are needed, and closed at the end."""

    repository: Repository
    host: Host
    answers: Answers
    ours: Access
    rescue: bool
    _given: Access | None = None
    _shells: dict[Door, Shell] = field(default_factory=dict)
    _secrets: dict[str, str] = field(default_factory=dict)
    _is_sound: bool = False

    @classmethod
    @contextmanager
    def begin(
        cls, repository: Repository, host: Host, answers: Answers, *, rescue: bool
    ) -> Iterator[Self]:
        """Begin; nothing is connected yet.

        Raises:
            Failure: the farm is a simulated one.
        """
        settings = repository.settings
        if settings.farm.kind != "real":
            raise Failure("the farm of the settings is simulated; there is nothing to bootstrap")
        work = cls(repository, host, answers, access_of(settings.hosts), rescue)
        try:
            yield work
        finally:
            for shell in work._shells.values():
                shell.close()

    def run(self, steps: Sequence[Step]) -> bool:
        """Do what is left of the steps. Whether the host is sound afterwards.

        Raises:
            ReconcilerError: a step could not be done; those before it are.
        """
        hands = Hands(
            self._machine,
            {
                PIN: self._pin,
                ADOPT_KEY: self._adopt_key,
                WAIT: self._wait,
                CHECK: self._check,
            },
            {LET_IN: self._lets_us_in},
            self._confirm,
        )
        carry_out(self._left(steps), hands, Teller())
        return self._is_sound

    def _left(self, steps: Sequence[Step]) -> Sequence[Step]:
        """Without what lies behind a machine that is installed already."""
        if not self.rescue or self._sight(self.ours).verdict != "pinned":
            return steps
        if not self._lets_us_in():
            return steps
        shell = self._shell(Door.OURS)
        if shell.run(IS_RESCUE, operation="see what it runs").exit_code == 0:
            return steps
        if shell.run(IS_INSTALLED, operation="see what it runs").exit_code != 0:
            raise Failure(
                f"{self.host.name} runs no rescue system; boot it into one, or leave --rescue out"
            )
        remark(f"{self.host.name} is installed, and runs the new system; going on there")
        return steps[[step.name for step in steps].index(WAIT) :]

    # The ways in.

    @property
    def _address(self) -> str:
        return str(self.host.address)

    def _sight(self, access: Access) -> Sight:
        seconds = access.connect_deadline.total_seconds()
        return first_sight(self.host.name, self._address, access, seconds)

    def _machine(self, door: Door) -> Machine:
        return Machine(self._shell(door), self._passphrase)

    def _shell(self, door: Door) -> Shell:
        if door not in self._shells:
            access = self.ours if door is Door.OURS else self._given_access()
            self._shells[door] = Shell(self.host.name, self._address, access)
        return self._shells[door]

    def _lets_us_in(self) -> bool:
        shell = Shell(self.host.name, self._address, self.ours)
        try:
            shell.run(["true"], operation="log in")
        except Denied:
            return False
        finally:
            shell.close()
        return True

    def _given_access(self) -> Access:
        if self._given is None:
            trusted = replace(self.ours, known_hosts=self._pins())
            if self.answers.key is not None:
                self._given = replace(trusted, key_file=self.answers.key)
            else:
                self._given = replace(trusted, password=self._password())
        return self._given

    def _password(self) -> str:
        if self.answers.password_file is not None:
            text = self.answers.password_file.read_text(encoding="utf-8")
            return text.partition("\n")[0].removesuffix("\r")
        question = f"Password of {self.ours.user} at {self._address}"
        return str(click.prompt(question, hide_input=True, err=True))

    # The host key.

    def _pins(self) -> Path:
        """The file with the key that the machine shows before it is ours.

        That of a rescue system is another at each boot, and has no place among the hosts' keys.
        """
        if not self.rescue:
            return self.ours.known_hosts
        return self.repository.settings.state_directory / "bootstrap" / f"{self.host.name}.pin"

    def _pin(self) -> None:
        file = self._pins()
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not file.exists():
            file.touch(mode=0o600)
        sight = self._sight(replace(self.ours, known_hosts=file))
        if sight.verdict == "pinned":
            return
        if sight.verdict == "wrong" and not self.rescue:
            raise Failure(
                f"{self.host.name} shows the host key {sight.kind} {sight.fingerprint}, but {file} "
                f"pins {', '.join(sight.pinned)}; if it was installed anew, compare "
                f"({_COMPARE}) and take the old line out"
            )
        self._compare(sight)
        pin(file, self.ours.pin_name(self._address), sight.line, pause)

    def _compare(self, sight: Sight) -> None:
        if self.answers.host_key is not None:
            if self.answers.host_key != sight.fingerprint:
                raise Failure(
                    f"{self.host.name} shows {sight.fingerprint}, not {self.answers.host_key}; "
                    "somebody may be in between"
                )
            return
        remark(f"{self.host.name} shows the host key {sight.kind} {sight.fingerprint}")
        remark(f"compare it with what its provider says, or with {_COMPARE}")
        click.confirm("Is it the right one?", abort=True, err=True)

    def _adopt_key(self) -> None:
        told = self._shell(Door.GIVEN).read_file(NEW_HOST_KEY).decode("ascii", "replace")
        kind, encoded = ([*told.split(), "", ""])[:2]
        try:
            shown = fingerprint(f"{kind} {encoded}")
        except ValueError as error:
            raise Stalled(
                f"{NEW_HOST_KEY} of {self.host.name} is no public key ({visible(str(error))})",
                "take /root/reconciler away there, and run the bootstrap again",
            ) from None
        name = self.ours.pin_name(self._address)
        pin(self.ours.known_hosts, name, f"{name} {kind} {encoded}", pause)
        remark(f"the installed system will show {kind} {shown}")

    def _wait(self) -> None:
        clock = SystemClock().monotonic
        ends = clock() + REBOOTED.total_seconds()
        reason = "it did not answer"
        while clock() < ends:
            with suppress(Unreachable):
                sight = self._sight(self.ours)
                if sight.verdict == "pinned" and self._lets_us_in():
                    return
                reason = f"it shows {sight.kind} {sight.fingerprint} and does not let us in"
            pause(PAUSE_SECONDS)
        raise Stalled(
            f"{self.host.name} did not come back as the installed system: {reason}",
            "see its console; then run the bootstrap again",
        )

    # The person, and the end.

    def _confirm(self, step: Step) -> None:
        typed = self.answers.typed
        if typed is None:
            remark(f"{step.name}: {step.what}. What is on it is lost.")
            typed = str(click.prompt(f"Type the name of the host ({self.host.name})", err=True))
        if typed != self.host.name:
            raise Failure(f"{visible(typed)} is not {self.host.name}; nothing was destroyed")

    def _passphrase(self, name: str) -> str:
        if name not in self._secrets:
            self._secrets[name] = self._revealed(name) or str(
                click.prompt(
                    f"Passphrase of {name}", hide_input=True, confirmation_prompt=True, err=True
                )
            )
        return self._secrets[name]

    def _revealed(self, name: str) -> str:
        data = self.host.install.data if self.host.install else ()
        written = next((each.passphrase for each in data if each.name == name), None)
        if written is None:
            return ""
        environment = self.host.environment
        source = self.repository.source
        documents = source.documents(environment, source.heads()[environment])
        sealed = documents.secrets.sealed(SecretReference.parse(written))
        keys = Keyring(self.repository.settings.secrets.by_environment())
        return keys.reveal(environment, sealed)

    def _check(self) -> None:
        found = host_findings({self.host.name: self.host}, self.repository.settings)
        write_findings(found, Format.TEXT)
        self._is_sound = is_sound(found)


class Teller:
    """Tells a person how far it is; see `engine.bootstrap.Reporter`."""

    def begins(self, step: Step) -> None:
        """A step is about to be done."""
        screen().say(f"{step.name}: {step.what} ...", "yellow")
        sys.stdout.flush()

    def skipped(self, step: Step) -> None:
        """A step has been done before."""
        screen().say(f"{step.name}: is done already")

    def done(self, step: Step) -> None:
        """A step has been done."""
        screen().say(f"{step.name}: done", "green")
