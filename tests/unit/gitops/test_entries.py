from __future__ import annotations

import pytest

from reconciler.errors import ConfigError
from reconciler.gitops.entries import Entry, Limits, check_entries

BLOB = "1" * 40


def entry(name: str | bytes, mode: str = "100644", size_bytes: int = 1) -> Entry:
    raw = name if isinstance(name, bytes) else name.encode()
    return Entry(raw, mode, BLOB, size_bytes)


def refusals(*entries: Entry, limits: Limits | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        check_entries(entries, limits or Limits())
    return [str(problem) for problem in caught.value.problems]


def test_plain_files_are_given_by_path() -> None:
    good = check_entries([entry("farm.yaml"), entry("vms/é.yaml", "100755")], Limits())
    assert sorted(good) == ["farm.yaml", "vms/é.yaml"]


@pytest.mark.parametrize(
    ("mode", "words"),
    [("120000", "symbolic link"), ("160000", "submodule"), ("010644", "no plain file")],
)
def test_what_is_no_plain_file_is_refused_by_name(mode: str, words: str) -> None:
    (said,) = refusals(entry("vms/x", mode), entry("farm.yaml"))
    assert said.startswith("vms/x:1:1: ")
    assert words in said


@pytest.mark.parametrize(
    "name",
    [
        b"../x",
        b"a/../x",
        b"/x",
        b"a//x",
        b".git/config",
        b"a/.GIT/config",
        b"a/.git /x",
        b"a/git~1/x",
        "a/.g\u200cit/x".encode(),
        b"a/./x",
        b"a\nb",
        b"a\x1b[31mb",
        b"a\\b",
        "a\u202eb".encode(),
        b"a\xff",
        b"x" * 513,
    ],
)
def test_names_that_mean_something_else_are_refused(name: bytes) -> None:
    (said, *_) = refusals(entry(name))
    assert said.isprintable()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("vms/a.yaml", "vms/A.yaml"),
        ("VMS/a.yaml", "vms/b.yaml"),
        ("é.yaml", "e\u0301.yaml"),
        ("straße/a", "STRASSE/b"),
        ("a", "A/b"),
    ],
)
def test_names_that_differ_in_case_only_are_refused(one: str, other: str) -> None:
    (said,) = refusals(entry(one), entry(other))
    assert "differ only in the case" in said


def test_a_yaml_file_that_is_too_large_is_refused_but_another_file_is_not() -> None:
    large, limits = 2**20 + 1, Limits(yaml_bytes=2**20)
    images = entry("a.png", size_bytes=large)
    (said,) = refusals(entry("vms/a.YML", size_bytes=large), images, limits=limits)
    assert said.startswith("vms/a.YML:1:1: the file is too large")


def test_too_many_files_and_too_many_bytes_are_refused() -> None:
    limits = Limits(files=2, total_bytes=5)
    said = refusals(entry("a", size_bytes=4), entry("b"), entry("c"), limits=limits)
    assert ["more than 2 files" in each for each in said] == [True, False]
    assert said[1].startswith("a:1:1: the files take 6 B, more than 5 B")


def test_all_problems_are_told_at_once() -> None:
    said = refusals(entry("a", "120000"), entry("b", "160000"), entry("..", "120000"))
    assert len(said) == 4


def test_a_flood_of_problems_is_shortened() -> None:
    said = refusals(*(entry(f"l{number}", "120000") for number in range(1000)))
    assert len(said) == 101
    assert any("900 more entries" in each for each in said)
