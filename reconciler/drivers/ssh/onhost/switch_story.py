"""What the dead man's switch has taken back, how often, and what is not to be tried again."""

from __future__ import annotations

from reconciler.drivers.ssh.onhost.switch_files import forget_confirmed
from reconciler.drivers.ssh.onhost.switch_site import FIRED, RESULT, STORY, UNDONE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from reconciler.drivers.ssh.onhost.switch_site import Site

TRIES = 2  # what was taken back so often is not tried again
EVENTS = 20
UNTOLD = "it was not confirmed; there was no room on the disk to say more"


def story_of(site: Site) -> dict[str, Any]:
    """All that is told: `concerns` by address, and the last `events`."""
    return site.read(STORY) or {"concerns": {}, "events": []}


def error_of(site: Site, token: str) -> str | None:
    """Which of the acts of that token failed, and why; None if nothing is known of a failure."""
    result = site.read(RESULT)
    return result["error"] if result and result["token"] == token else None


def event_of(story: dict[str, Any], token: str) -> dict[str, Any] | None:
    """How the change of that token was taken back, if it was."""
    return next((event for event in story["events"] if event["token"] == token), None)


def close_book(site: Site) -> None:
    """Tell of what was taken back last, and let go of what was kept for it."""
    record = site.read(FIRED)
    if record is not None:
        write_story(site, fold(story_of(site), record.get("event") or _untold(record)))
        for path in record["files"]:
            forget_confirmed(site, path)
    site.remove(FIRED)


def _untold(record: dict[str, Any]) -> dict[str, Any]:
    """The event of a change when there was no room to say more."""
    told = {key: record[key] for key in ("token", "concerns", "was")}
    return {**told, "when": "", "why": UNTOLD, "back": list(record["files"]), "problems": []}


def fold(story: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
    """The story with one event more; the same if it tells of it already."""
    if event_of(story, event["token"]):
        return story
    concerns = dict(story["concerns"])
    for address, digest in event["concerns"]:
        before = concerns.get(address, {})
        count = before["count"] + 1 if before.get("digest") == digest else 1
        concerns[address] = {"digest": digest, "count": count, "is_given_up": False}
    return {"concerns": concerns, "events": [*story["events"], event][-EVENTS:]}


def give_up(story: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
    """The story when those who tried it know that it cuts the host off."""
    tried = dict(event["concerns"])
    concerns = {
        address: {**each, "is_given_up": True} if tried.get(address) == each["digest"] else each
        for address, each in story["concerns"].items()
    }
    return {**story, "concerns": concerns}


def without(story: dict[str, Any], addresses: Iterable[str]) -> dict[str, Any]:
    """The story when these have gone well."""
    gone = frozenset(addresses)
    kept = {address: each for address, each in story["concerns"].items() if address not in gone}
    return {**story, "concerns": kept}


def write_story(site: Site, story: dict[str, Any]) -> None:
    """Keep the story, and what follows from it."""
    site.write(STORY, story)
    held = {
        address: each["digest"]
        for address, each in story["concerns"].items()
        if each["is_given_up"] or each["count"] >= TRIES
    }
    site.write(UNDONE, held)
