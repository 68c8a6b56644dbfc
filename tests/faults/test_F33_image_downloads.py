"""F33: a download that breaks off, lies or changes leaves nothing that is taken for an image."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.drivers.images.spool import ImageSpool, name_in_spool
from reconciler.errors import Conflict, Denied, DriverError, NotFound, Unreachable
from tests.images import web as answers
from tests.images.bench import files_in, spool_at
from tests.images.specimens import MIB, Qcow2, source_of
from tests.images.web import Handler, Site, authority_pem, serving

CONTENT = Qcow2().whole()
NAME = name_in_spool(source_of(CONTENT))
PART = f".{NAME}.part"
FETCHER = Path(__file__).with_name("image_fetch.py")
ROOT = FETCHER.parents[2]
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as site:
        yield site


@pytest.fixture
def spool(tmp_path: Path) -> ImageSpool:
    return spool_at(tmp_path)


def test_a_body_that_breaks_off_leaves_nothing_and_the_next_try_is_whole(
    spool: ImageSpool, site: Site
) -> None:
    site.says(answers.body(CONTENT[:100_000], claimed_bytes=len(CONTENT)))
    with pytest.raises(Unreachable):
        spool.fetch(source_of(CONTENT, site.url()))
    assert files_in(spool) == []
    site.says(answers.body(CONTENT))
    assert spool.fetch(source_of(CONTENT, site.url())).path.read_bytes() == CONTENT
    assert files_in(spool) == [NAME]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((404, NotFound), (410, NotFound), (500, Unreachable), (503, Unreachable)),
        *((429, Unreachable), (401, Denied), (403, Denied), (206, Denied), (304, Denied)),
    ],
)
def test_what_the_server_answers_decides_what_follows(
    spool: ImageSpool, site: Site, status: int, kind: type[DriverError]
) -> None:
    site.says(answers.status(status))
    with pytest.raises(kind, match=f"answered {status}"):
        spool.fetch(source_of(CONTENT, site.url()))
    assert files_in(spool) == []


def test_a_server_that_is_away_is_unreachable(spool: ImageSpool, site: Site) -> None:
    with serving() as gone:
        url = gone.url()
    with pytest.raises(Unreachable):
        spool.fetch(source_of(CONTENT, url))


def test_an_image_that_its_publisher_replaced_is_refused_and_the_old_one_stays(
    spool: ImageSpool, site: Site
) -> None:
    site.says(answers.body(CONTENT))
    old = spool.fetch(source_of(CONTENT, site.url()))
    site.says(answers.body(Qcow2(disk_bytes=MIB).whole()))
    assert spool.fetch(source_of(CONTENT, site.url())) == old
    with pytest.raises(Denied, match="replaced"):
        spool.fetch(source_of(CONTENT + b"newer", site.url()))
    assert files_in(spool) == [NAME]


def test_what_is_in_the_spool_is_not_fetched_again(spool: ImageSpool, site: Site) -> None:
    site.says(answers.body(CONTENT))
    for _ in range(2):
        spool.fetch(source_of(CONTENT, site.url()))
    assert len(site.asked) == 1


def test_bits_that_rot_in_the_spool_are_noticed(spool: ImageSpool, site: Site) -> None:
    site.says(answers.body(CONTENT))
    path = spool.fetch(source_of(CONTENT, site.url())).path
    path.write_bytes(CONTENT[:-1] + b"\1")
    assert spool.fetch(source_of(CONTENT, site.url())).path.read_bytes() == CONTENT
    assert len(site.asked) == 2


def test_what_a_crash_left_is_discarded(spool: ImageSpool, site: Site) -> None:
    spool.directory.mkdir()
    (spool.directory / PART).write_bytes(b"x" * 10 * len(CONTENT))
    site.says(answers.body(CONTENT))
    assert spool.fetch(source_of(CONTENT, site.url())).size_bytes == len(CONTENT)
    assert files_in(spool) == [NAME]


def test_a_fetch_that_is_killed_leaves_no_image_and_holds_nobody_up(
    tmp_path: Path, spool: ImageSpool, site: Site
) -> None:
    begun = threading.Event()

    def half(handler: Handler) -> None:
        answers.body(CONTENT[:100_000], claimed_bytes=len(CONTENT))(handler)
        handler.wfile.flush()
        begun.set()
        handler.server.site.stopping.wait(30)

    site.says(half)
    authority = tmp_path / "ca.pem"
    authority.write_text(authority_pem())
    checksum = source_of(CONTENT).checksum
    command = [sys.executable, str(FETCHER), str(tmp_path), site.url(), checksum, str(authority)]
    with subprocess.Popen(command, cwd=ROOT) as fetching:
        assert begun.wait(60)
        fetching.kill()
    assert files_in(spool) in ([PART], [])
    site.says(answers.body(CONTENT))
    assert spool.fetch(source_of(CONTENT, site.url())).path.read_bytes() == CONTENT
    assert files_in(spool) == [NAME]


def test_of_two_who_want_the_same_image_one_fetches(spool: ImageSpool, site: Site) -> None:
    both_are_there = threading.Event()

    def late(handler: Handler) -> None:
        both_are_there.wait(0.3)
        answers.body(CONTENT)(handler)

    site.says(late)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(spool.fetch, [source_of(CONTENT, site.url())] * 4))
    assert len(set(found)) == 1
    assert len(site.asked) == 1


def test_a_spool_that_is_full_leaves_nothing(spool: ImageSpool, site: Site) -> None:
    site.says(answers.body(CONTENT))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(Conflict, match="disk is full"):
            spool.fetch(source_of(CONTENT, site.url()))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert files_in(spool) == []


def test_a_spool_that_cannot_be_written_is_told(site: Site) -> None:
    with pytest.raises(Conflict, match="the spool /proc/self/ns/images"):
        spool_at(Path("/proc/self/ns")).fetch(source_of(CONTENT, site.url()))


def test_sha512_is_taken_as_well(spool: ImageSpool, site: Site) -> None:
    site.says(answers.body(CONTENT))
    source = source_of(CONTENT, site.url(), algorithm="sha512")
    assert spool.fetch(source).path.name == f"sha512-{source.checksum}"
    with pytest.raises(Denied, match="sha512 is"):
        spool.fetch(source_of(CONTENT + b"x", site.url(), algorithm="sha512"))


def age(path: Path, age: timedelta) -> None:
    then = (NOW - age).timestamp()
    os.utime(path, (then, then))


def test_images_that_no_document_names_and_old_leftovers_are_swept(
    spool: ImageSpool, site: Site
) -> None:
    site.says(answers.body(CONTENT))
    source = source_of(CONTENT, site.url())
    spool.fetch(source)
    for name, hours in (("old", 25), ("young", 23)):
        (spool.directory / f".{name}.part").write_bytes(b"")
        age(spool.directory / f".{name}.part", timedelta(hours=hours))
    assert spool.sweep([source.checksum], NOW) == (".old.part",)
    assert spool.sweep([], NOW) == (NAME,)
    assert files_in(spool) == [".young.part"]


def test_a_spool_that_was_never_used_is_swept_clean(spool: ImageSpool) -> None:
    assert spool.sweep([], NOW) == ()
