"""What the dead man's switch keeps of a file, and how it puts it back."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.drivers.ssh.onhost.switch_files import LARGEST_BYTES, put_back, save
from reconciler.drivers.ssh.onhost.switch_site import Site, run_here

PATH = "/etc/thing"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    (tmp_path / "etc").mkdir()
    return Site(run_here, root=str(tmp_path))


def real(site: Site) -> Path:
    return Path(site.root + PATH)


def file(site: Site) -> None:
    real(site).write_bytes(b"old\0\xff")
    real(site).chmod(0o640)


def link(site: Site) -> None:
    real(site).symlink_to("/etc/nowhere")


def directory(site: Site) -> None:
    real(site).mkdir(0o750)


def nothing(site: Site) -> None:
    real(site).unlink(missing_ok=True)


MAKERS = [file, link, nothing]


@pytest.mark.parametrize("before", [*MAKERS, directory])
def test_what_is_as_it_was_is_not_touched(site: Site, before: Callable[[Site], None]) -> None:
    before(site)
    assert not put_back(site, PATH, save(site, PATH))


@pytest.mark.parametrize("before", MAKERS)
@pytest.mark.parametrize("after", MAKERS)
def test_it_comes_back_over_whatever_is_there(
    site: Site, before: Callable[[Site], None], after: Callable[[Site], None]
) -> None:
    before(site)
    saved = save(site, PATH)
    nothing(site)
    after(site)
    assert put_back(site, PATH, saved) == (before is not after)
    assert save(site, PATH) == saved
    assert os.listdir(real(site).parent) == ([] if before is nothing else ["thing"])  # noqa: PTH208


def test_a_directory_gets_its_permissions_back(site: Site) -> None:
    directory(site)
    saved = save(site, PATH)
    real(site).chmod(0o700)
    assert put_back(site, PATH, saved)
    assert stat.S_IMODE(real(site).stat().st_mode) == 0o750


def test_a_directory_that_was_new_goes_if_nothing_is_in_it(site: Site) -> None:
    saved = save(site, PATH)
    directory(site)
    assert put_back(site, PATH, saved)
    directory(site)
    (real(site) / "somebody's").touch()
    with pytest.raises(OSError, match="not empty"):
        put_back(site, PATH, saved)


def test_a_file_comes_back_with_its_directory(site: Site) -> None:
    file(site)
    saved = save(site, PATH)
    real(site).unlink()
    real(site).parent.rmdir()
    assert put_back(site, PATH, saved)
    assert real(site).read_bytes() == b"old\0\xff"


def test_it_is_written_in_place_where_no_second_file_can_be(site: Site) -> None:
    file(site)
    saved = save(site, PATH)
    real(site).write_bytes(b"new, and longer")
    long_name = "/etc/" + "x" * 250
    Path(site.root + long_name).write_bytes(b"new")
    assert put_back(site, long_name, saved)
    assert Path(site.root + long_name).read_bytes() == b"old\0\xff"


def test_a_link_is_not_followed(site: Site, tmp_path: Path) -> None:
    file(site)
    saved = save(site, PATH)
    victim = tmp_path / "victim"
    victim.write_text("whole")
    real(site).unlink()
    real(site).symlink_to(victim)
    assert put_back(site, PATH, saved)
    assert victim.read_text() == "whole"
    assert not real(site).is_symlink()


def test_what_cannot_be_kept_is_said_before_anything_is_changed(site: Site) -> None:
    os.mkfifo(real(site))
    with pytest.raises(OSError, match="cannot be kept"):
        save(site, PATH)
    real(site).unlink()
    with real(site).open("wb") as large:
        large.truncate(LARGEST_BYTES + 1)
    with pytest.raises(OSError, match="too large"):
        save(site, PATH)


@pytest.mark.parametrize("has_other", [False, True])
def test_a_folder_for_parts_of_a_file_goes_with_the_last_of_them(
    site: Site, *, has_other: bool
) -> None:
    path = "/etc/systemd/network/eth0.network.d/br0.conf"
    saved = save(site, path)
    part = Path(site.root + path)
    part.parent.mkdir(parents=True)
    part.write_text("[Network]\n")
    if has_other:
        part.with_name("other.conf").touch()
    assert put_back(site, path, saved)
    assert part.parent.exists() == has_other
    assert part.parent.parent.exists()
