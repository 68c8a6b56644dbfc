"""What a checkup looks at: the operator's own machine, the repository, and all hosts at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from reconciler.cli.command import Given
from reconciler.cli.repository import SETTINGS, Repository, pause
from reconciler.cli.served import webhook_answers
from reconciler.cli.status import rests
from reconciler.cli.world import access_of
from reconciler.config.described import DescribedServer
from reconciler.config.documents import Host
from reconciler.config.settings import Settings
from reconciler.daemon.clock import SystemClock
from reconciler.errors import ConfigError, NotFound, ReconcilerError, SettingsError, SourceError
from reconciler.plan.checkup.finding import Finding
from reconciler.plan.checkup.hosts import judge_host
from reconciler.plan.checkup.nameservers import judge_server
from reconciler.plan.checkup.observation import Answer, OperatorObservation
from reconciler.plan.checkup.operator import judge_operator

AT_ONCE = 64
OTHERS = 0o077
_SETTLED = "see reconciler validate"


def look_at_settings(given: Given, answers: Sequence[Answer]) -> Iterator[Finding]:
    """What there is to say of the settings and of what was tried with them."""
    file = given.config or (SETTINGS if SETTINGS.exists() else None)
    mode = file.stat().st_mode & 0o777 if file else None
    yield from judge_operator(OperatorObservation(str(file or ""), mode, answers=tuple(answers)))


def complain(given: Given, error: SettingsError) -> Iterator[Finding]:
    """What is wrong with settings that cannot be used."""
    file = str(given.config or SETTINGS)
    yield from judge_operator(OperatorObservation(file, settings_problems=error.reasons))


def local_answers(settings: Settings) -> Iterator[Answer]:
    """Whether our own key and our directory can be used."""
    if settings.farm.kind == "real":
        yield from _key_answers(settings)
    yield _directory_answer(settings.state_directory)
    yield from webhook_answers(settings)


def repository_answers(repository: Repository) -> Iterator[Answer]:
    """Whether the repository answers, loads, and takes records."""
    yield (reached := _tried("repository", "it answers", repository.fetch))
    if reached.problem:
        return
    heads = _heads(repository)
    for name in repository.settings.environments:
        if name in heads:
            yield _documents_answer(repository, name, heads[name])
            yield _journal_answer(repository, name, heads[name])
        elif rests(repository, repository.chronicle.recall(name)):
            yield Answer(f"branch {name}", "no release is open")
        else:
            remedy = "push a branch that feeds it, or take it out of environments"
            text = f"{name} has no branch"
            yield Answer(f"branch {name}", text, text, remedy, is_minor=True)


def host_findings(hosts: Mapping[str, Host], settings: Settings) -> list[Finding]:
    """All that there is to say of the hosts, all looked at side by side."""
    from reconciler.drivers.ssh.checkup import Target, Watch, examine

    access, clock = access_of(settings.hosts), SystemClock()
    watch = Watch(clock.now, clock.monotonic)
    targets = [
        Target(
            name,
            str(host.address),
            host.accelerator if host.guests else "",
            tuple((each.name, each.type, each.target) for each in host.pools),
        )
        for name, host in sorted(hosts.items())
    ]
    with ThreadPoolExecutor(min(AT_ONCE, max(len(targets), 1))) as pool:
        seen = pool.map(lambda target: examine(target, access, watch), targets)
        return [finding for each in seen for finding in judge_host(each)]


def server_findings(
    servers: Mapping[str, DescribedServer], hosts: Mapping[str, Host], settings: Settings
) -> list[Finding]:
    """All that there is to say of the name servers, all looked at side by side."""
    from reconciler.drivers.nameserver_checkup import examine
    from reconciler.drivers.nameservers import NameserverMeans
    from reconciler.drivers.secrets import Keyring
    from reconciler.drivers.ssh.shell import Shell

    access, clock = access_of(settings.hosts), SystemClock()
    shells = {name: Shell(name, str(host.address), access) for name, host in hosts.items()}
    reveal = Keyring(settings.secrets.by_environment()).reveal

    def shell_of(name: str) -> Shell:
        if name in shells:
            return shells[name]
        raise NotFound(name, "find", "no Host document of any branch describes this host")

    means = NameserverMeans(shell_of, reveal, access.deadline, clock.now, clock.monotonic, pause)
    known = sorted(servers.items())
    with ThreadPoolExecutor(min(AT_ONCE, max(len(known), 1))) as pool:
        seen = pool.map(lambda item: (item[0], list(examine(item[1], means))), known)
        found = [finding for each in seen for finding in judge_server(*each)]
    for shell in shells.values():
        shell.close()
    return found


def _key_answers(settings: Settings) -> Iterator[Answer]:
    from reconciler.drivers.ssh.trial import public_line

    for reason in settings.hosts.missing():
        what, _, remedy = reason.partition("; ")
        yield Answer("ssh", what, what, remedy)
    if settings.hosts.missing():
        return
    access = access_of(settings.hosts)
    yield _tried(
        "ssh", f"{access.key_file} is a key that is understood", lambda: public_line(access)
    )


def _directory_answer(directory: Path) -> Answer:
    name = "state"
    if not directory.is_dir():
        return Answer(name, f"{directory} is made when it is needed")
    mode = directory.stat().st_mode & 0o777
    if not os.access(directory, os.W_OK | os.X_OK):
        problem = f"we may not write {directory}"
        return Answer(name, problem, problem, "run as its owner, or give another with --state")
    if mode & OTHERS:
        problem = f"others may look into {directory} (mode {mode:04o})"
        return Answer(name, problem, problem, f"chmod 700 {directory}", is_minor=True)
    return Answer(name, f"{directory} is for us only")


def _documents_answer(repository: Repository, environment: str, head: str) -> Answer:
    name = f"branch {environment}"
    try:
        repository.source.documents(environment, head)
    except ConfigError as error:
        problem = f"{len(error.problems)} problems, the first is {error.problems[0]}"
        return Answer(
            name, problem, problem, f"run reconciler validate --environment {environment}"
        )
    except ReconcilerError as error:
        return Answer(name, str(error), str(error), _SETTLED)
    return Answer(name, "it loads")


def _journal_answer(repository: Repository, environment: str, head: str) -> Answer:
    name = f"journal {environment}"
    journal = repository.journal(environment)
    try:
        journal.check_writable()
        newest = journal.head() or (head if repository.record is repository.mirror else "")
        if not newest:
            return Answer(name, "it is empty; whether it takes records is seen at the first")
        ref = f"refs/heads/reconciler/{environment}"
        refused = repository.record.try_push({ref: newest}).get(ref)
        waiting = journal.waiting()
    except SourceError as error:
        return Answer(name, str(error), str(error), "see that we may push to reconciler/*")
    if refused is not None and not refused.raced:
        remedy = "let us push to the branches reconciler/*, or set journal.url"
        return Answer(name, refused.reason, f"records are refused: {refused.reason}", remedy)
    if waiting:
        problem = f"{waiting} records are not pushed yet"
        return Answer(name, problem, problem, "they are pushed with the next", is_minor=True)
    return Answer(name, "it takes records")


def _heads(repository: Repository) -> Mapping[str, str]:
    try:
        return repository.source.heads()
    except SourceError:
        return {}


def _tried(name: str, text: str, attempt: Callable[[], object]) -> Answer:
    try:
        attempt()
    except ReconcilerError as error:
        return Answer(name, text, str(error))
    return Answer(name, text)
