from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.quantity import format_duration, format_size, parse_duration, parse_size


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("0 B", 0),
        ("512 MiB", 512 * 1024**2),
        ("1.5GiB", 1536 * 1024**2),
        ("2 GB", 2 * 1000**3),
        ("1 PiB", 1024**5),
        ("0.5 KiB", 512),
    ],
)
def test_a_size_with_a_unit(text: str, size_bytes: int) -> None:
    assert parse_size(text) == size_bytes


@pytest.mark.parametrize(
    "text", ["", "4", "4 gib", "4 G", "-1 GiB", "4  GiB", "4 GiB\n", "1e3 MiB", "4 XiB", "½ GiB"]
)
def test_what_is_no_size_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size; write a number and a unit"):
        parse_size(text)


def test_a_part_of_a_byte_is_refused() -> None:
    with pytest.raises(ValueError, match="is not a whole number of bytes; use a smaller unit"):
        parse_size("0.3 KiB")


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1 KiB"), (1536 * 2**20, "1536 MiB"), (2**50, "1 PiB")],
)
def test_a_size_is_written_in_the_largest_unit_that_is_exact(size_bytes: int, text: str) -> None:
    assert format_size(size_bytes) == text


@given(st.integers(0, 10**15))
def test_every_size_reads_back(size_bytes: int) -> None:
    assert parse_size(format_size(size_bytes)) == size_bytes


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0s", 0), ("30m", 1800), ("1h 30m", 5400), ("1h30m", 5400), ("2w", 1209600), ("1d", 86400)],
)
def test_a_duration_with_units(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


def test_a_duration_is_no_longer_than_dns_can_say() -> None:
    most = "999999999s 999999999s 147483649s"
    assert parse_duration(most) == timedelta(seconds=2**31 - 1)
    with pytest.raises(ValueError, match="is longer than 68 years"):
        parse_duration(f"{most} 1s")


@pytest.mark.parametrize("text", ["", "30", "30 m", "-1s", "1y", "1.5h", "1s\n", "1h" * 6])
def test_what_is_no_duration_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration; write a number and s, m, h, d or w"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (59, "59s"), (60, "1m"), (5400, "90m"), (86400, "1d"), (1209600, "2w")],
)
def test_a_duration_is_written_in_the_largest_unit_that_is_exact(seconds: int, text: str) -> None:
    assert format_duration(timedelta(seconds=seconds)) == text


@given(st.integers(0, 10**8))
def test_every_duration_reads_back(seconds: int) -> None:
    duration = timedelta(seconds=seconds)
    assert parse_duration(format_duration(duration)) == duration
