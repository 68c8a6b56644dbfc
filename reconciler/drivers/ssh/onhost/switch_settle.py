"""Settle a change on trial: over a new connection it is confirmed, or told how it was taken back.

May be asked again as long as nobody got the answer.
"""

from __future__ import annotations

import json
import sys

from reconciler.drivers.ssh.onhost.switch_files import forget_confirmed, save
from reconciler.drivers.ssh.onhost.switch_site import (
    ARMED,
    FIRING,
    RESULT,
    SETTLED,
    Site,
    run_here,
)
from reconciler.drivers.ssh.onhost.switch_story import (
    close_book,
    error_of,
    event_of,
    give_up,
    story_of,
    without,
    write_story,
)
from reconciler.drivers.ssh.onhost.switch_units import stop_timer, take_back_now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def main(stdin: bytes) -> int:
    """Run on the host over a new connection. A line of JSON tells how it is."""
    asked = json.loads(stdin)
    sys.stdout.write(json.dumps(settle(Site(run_here, asked["directory"]), asked["token"])) + "\n")
    return 0


def settle(site: Site, token: str) -> dict[str, Any]:
    """Confirm the change of that token if all its acts were done, else have it taken back.

    The `outcome` is `confirmed`, `refused` (the first act was, nothing was changed), `failed` (an
    act was, all was taken back), `undone` (it had been taken back before we came) or `unknown`
    (nothing of that token was ever on trial here).
    """
    record = site.read(ARMED)
    if record and record["token"] == token:
        result = site.read(RESULT) or {}
        is_over = result.get("token") == token and (not result["error"] or result["is_untouched"])
        if not (is_over and site.move(ARMED, SETTLED)):
            take_back_now(site)
    elif site.read(FIRING):
        take_back_now(site)
    settled = site.read(SETTLED)
    if settled and settled["token"] == token:
        return let_go(site, settled)
    return _taken_back(site, token)


def let_go(site: Site, record: dict[str, Any]) -> dict[str, Any]:
    """Nothing is on trial any more: what was kept for the way back is not needed."""
    stop_timer(site)
    error = error_of(site, record["token"])
    is_proved = record["settles"] and error is None
    for path, saved in record["files"].items():
        if is_proved or save(site, path) == saved:
            forget_confirmed(site, path)
    story = story_of(site)
    # A file that nobody has read yet is not known to be good, however well it was written.
    if is_proved and any(address in story["concerns"] for address, _ in record["concerns"]):
        write_story(site, without(story, (address for address, _ in record["concerns"])))
    site.write(SETTLED, {**record, "files": {}, "rules": None, "network": None})
    return {"outcome": "confirmed"} if error is None else {"outcome": "refused", "error": error}


def _taken_back(site: Site, token: str) -> dict[str, Any]:
    close_book(site)
    story = story_of(site)
    event = event_of(story, token)
    if event is None:
        return {"outcome": "unknown" if site.read(FIRING) is None else "undone", "event": None}
    error = error_of(site, token)
    if error is not None:
        return {"outcome": "failed", "event": event, "error": error}
    write_story(site, give_up(story, event))
    return {"outcome": "undone", "event": event}
