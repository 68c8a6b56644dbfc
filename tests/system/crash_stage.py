"""Two hosts on which a scene is played again and again, and all that is there after it."""

from __future__ import annotations

import json
import multiprocessing
import re
import signal
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reconciler.drivers.farm import RealFarm
from reconciler.drivers.libvirt_.manifest import RemoteManifest
from reconciler.ports.hypervisor import DomainState, VolumeState
from tests.system.crash_run import (
    CALLS,
    NOTHING_LEFT,
    Call,
    Errand,
    Memory,
    When,
    converge,
    environment_on,
    sync,
)
from tests.system.crash_scenes import ENVIRONMENT, HOST_NAME, SCENES, Scene, Wish
from tests.system.driven import POOL
from tests.system.lab import CLEANUP, Lab

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.system.crash_run"])
LONGEST_SECONDS = 180
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_STAMP = re.compile(r"trash\.\d{8}T\d{6}\.\d+\.")
# A sign in the data that no guest writes; each file of the pool; each claim of a move.
_PLANT = """\
file=$(virsh vol-path --pool "$1" "$2" 2>/dev/null) || exit 0
printf precious | dd of="$file" bs=1 seek=1048576 conv=notrunc status=none
"""
_SHOW = """\
directory=$(virsh pool-dumpxml "$1" | sed -n 's:.*<path>\\(.*\\)</path>.*:\\1:p')
cd "$directory" || exit 1
for file in *; do
    [ -e "$file" ] || continue
    sign=-
    case $file in
        *-data) sign=$(dd if="$file" bs=1 skip=1048576 count=8 status=none | tr -d '\\0') ;;
        *-seed) sign=$(grep -ao 'local-hostname: [a-z]*' "$file" | tr ' ' _ | head -n 1) ;;
    esac
    echo "file $file ${sign:-lost}"
done
virsh --quiet list --all --name | while read -r name; do
    [ -n "$name" ] || continue
    virsh dumpxml --inactive "$name" | grep -q 'urn:kvm-reconciler:move' && echo "claim $name"
done
exit 0
"""


@dataclass(frozen=True, slots=True)
class End:
    """What is there on one host. Volumes that were never whole may lie in the trash besides."""

    domains: tuple[DomainState, ...]
    volumes: tuple[VolumeState, ...]
    trash: tuple[str, ...]
    marks: tuple[str, ...]
    shown: tuple[str, ...]


@dataclass(frozen=True)
class Stage:
    """Two hosts of the lab, and a farm of our own with which we look at them."""

    lab: Lab
    farm: RealFarm
    directory: Path

    @property
    def hosts(self) -> tuple[str, str]:
        one, two = self.lab.hosts
        return one, two

    def scene(self, name: str) -> Scene:
        return SCENES[name](self.lab, *self.hosts)

    def prepare(self, scene: Scene) -> Memory:
        """Clear the hosts, and make it as it is before; gives what is remembered of that."""
        with ThreadPoolExecutor() as pool:
            list(pool.map(self._clear, self.hosts))
        memory = self.finish(scene.before, {}) if scene.before else {}
        for host in self.hosts if scene.before else ():
            self._run(host, _PLANT, f"{HOST_NAME}-data")
        return memory

    def finish(self, wish: Wish, memory: Memory) -> Memory:
        """Converge from here, without interruption, and tidy up as is done once an hour."""
        environment = environment_on(self.farm, self.hosts, wish, memory)
        story = converge(environment)
        assert story[-1] == NOTHING_LEFT, "\n".join(story)
        for host in self.hosts:
            self.farm.hypervisor(host).tidy(ENVIRONMENT, LONG_AGO, None)
        return environment.memory

    def record(self, wish: Wish, memory: Memory) -> list[Call]:
        """Sync in a process that nobody kills; gives the changes that this takes."""
        code = self._play(Errand(self.lab, self.directory, wish, memory))
        assert code == 0
        return [Call(**each) for each in json.loads((self.directory / CALLS).read_text())]

    def kill(self, wish: Wish, memory: Memory, number: int, when: When, seconds: float) -> bool:
        """Sync in a process that dies at a change; gives whether there were so many."""
        code = self._play(Errand(self.lab, self.directory, wish, memory, number, when, seconds))
        assert code in {0, -signal.SIGKILL}
        return code != 0

    def check_running_once(self) -> None:
        """No guest runs on both hosts: seen here, there, and here again."""
        one, two = self.hosts
        here, there, again = (self._running(host) for host in (one, two, one))
        assert not here & there & again, "one guest runs on both hosts"

    def ends(self) -> dict[str, End]:
        """What is there now; all of it is accounted for."""
        self.check_running_once()
        return {host: self._end(host) for host in self.hosts}

    def _end(self, host: str) -> End:
        hypervisor = self.farm.hypervisor(host)
        marks = RemoteManifest(self.farm.shell(host)).read()
        trash, volumes = hypervisor.trash(), hypervisor.volumes()
        shown = self._run(host, _SHOW).splitlines()
        files = {line.split()[1] for line in shown if line.startswith("file ")}
        seen = {each.trash_name for each in trash if each.pool == POOL}
        seen |= {each.name for each in volumes if each.pool == POOL}
        assert files == seen, f"not accounted for on {host}: {files ^ seen}"
        unfinished = {
            key.partition("/")[2] for key, mark in marks.items() if mark.begun and mark.owner
        }
        assert unfinished <= {each.trash_name for each in trash}, f"{unfinished} on {host}"
        kept = [each for each in trash if each.trash_name not in unfinished]
        return End(
            hypervisor.domains(),
            tuple(each for each in volumes if each.pool == POOL),
            tuple(sorted(f"{each.pool}/{each.name} {each.owner}" for each in kept)),
            tuple(sorted(_unstamped(_marks(marks, files - unfinished)))),
            tuple(sorted(_unstamped(line for line in shown if line.split()[1] not in unfinished))),
        )

    def _clear(self, host: str) -> None:
        self.farm.shell(host).output(["bash", "-s"], stdin=CLEANUP.read_bytes())

    def _running(self, host: str) -> set[str]:
        listed = self.farm.shell(host).output(["virsh", "list", "--state-running", "--uuid"])
        return set(listed.decode().split())

    def _run(self, host: str, script: str, *words: str) -> str:
        return self.farm.shell(host).output(["bash", "-c", script, "crash", POOL, *words]).decode()

    def _play(self, errand: Errand) -> int | None:
        process = PROCESSES.Process(target=sync, args=(errand,))
        process.start()
        process.join(LONGEST_SECONDS)
        if process.is_alive():
            process.kill()
            process.join()
            return None
        return process.exitcode


def _marks(marks: Mapping[str, Any], files: set[str]) -> Iterator[str]:
    """The marks, but for those of the trash that have lost their volume: they go when it would."""
    for key, mark in marks.items():
        pool, _, name = key.partition("/")
        if pool == POOL and (name in files or not (mark.begun or _STAMP.match(name))):
            yield f"{key} {replace(mark, begun=None)}"


def _unstamped(lines: Any) -> Iterator[str]:
    for line in lines:
        yield _STAMP.sub("trash.", line)
