"""Memory of deliveries, and the bucket of tokens."""

from __future__ import annotations

from reconciler.web.complaints import Complaints
from reconciler.web.limits import Bucket, Remembered


def test_what_was_seen_is_not_new() -> None:
    seen = Remembered()
    assert seen.is_new(b"a", b"1")
    assert not seen.is_new(b"a", b"2")
    assert not seen.is_new(b"b", b"2")
    assert seen.is_new()


def test_memory_is_bounded_and_forgets_the_oldest() -> None:
    seen = Remembered(most=3)
    for number in range(10_000):
        assert seen.is_new(str(number).encode())
    assert len(seen) == 3
    assert seen.is_new(b"9000")
    assert not seen.is_new(b"9999")


def test_what_is_sent_again_stays_remembered() -> None:
    seen = Remembered(most=2)
    seen.is_new(b"a")
    for number in range(10):
        seen.is_new(str(number).encode())
        assert not seen.is_new(b"a")


def test_a_bucket_gives_so_many_at_once_and_so_many_a_second() -> None:
    bucket = Bucket(burst=3, per_second=2)
    assert [bucket.take(100.0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(101.0) for _ in range(3)] == [True, True, False]
    assert [bucket.take(1000.0) for _ in range(4)] == [True, True, True, False]
    assert not bucket.take(999.0)


def test_complaints_are_counted_by_webhook() -> None:
    complaints = Complaints()
    assert complaints.about("a", "too slow", 0.0) == "webhook a: refused deliveries: 1 too slow"
    assert complaints.about("b", "too slow", 0.0)
    assert complaints.about("a", "too slow", 1.0) == ""
    assert complaints.about("a", "no signature", 2.0) == ""
    assert complaints.about("a", "too slow", 61.0).endswith(": 1 no signature, 2 too slow")
