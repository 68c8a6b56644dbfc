from __future__ import annotations

import pytest

from reconciler.gitops.version import Version, next_minor, parse_version, tag_name

IN_ORDER = [
    "0.9.9",
    "1.0.0-1",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.0.1",
    "1.2",
    "1.10.0",
    "2",
]


def version(text: str) -> Version:
    found = parse_version(text)
    assert found is not None
    return found


def test_precedence_is_that_of_semver() -> None:
    assert sorted(sorted(IN_ORDER), key=version) == IN_ORDER


def test_a_leading_v_and_build_data_do_not_count() -> None:
    assert version("v1.2.3+build.7") == version("1.2.3")


@pytest.mark.parametrize(
    "text", ["", "next", "1.2.3.4", "01.2.3", "1.2.3-", "1.2.3\n", "1..2", "vv1"]
)
def test_other_texts_are_no_versions(text: str) -> None:
    assert parse_version(text) is None


@pytest.mark.parametrize(
    ("newest", "following"),
    [(None, "v0.1.0"), ("v1.2.3", "v1.3.0"), ("v1.9.0", "v1.10.0"), ("v2.0.0-rc.1", "v2.1.0")],
)
def test_the_next_minor_version_follows_the_newest(newest: str | None, following: str) -> None:
    assert tag_name(next_minor(parse_version(newest) if newest else None)) == following


def test_a_version_is_tagged_as_it_is_written() -> None:
    for text in ("v1.2.3", "v1.0.0-rc.1"):
        version = parse_version(text)
        assert version is not None
        assert tag_name(version) == text
