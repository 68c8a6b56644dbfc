"""Do acts that could cut the host off: the dead man's switch is armed first, in the same go."""

from __future__ import annotations

import json
import signal
import sys

from reconciler.drivers.ssh.onhost.act import Ended, perform
from reconciler.drivers.ssh.onhost.host import Batch
from reconciler.drivers.ssh.onhost.switch_arm import Refused, arm
from reconciler.drivers.ssh.onhost.switch_site import RESULT, Site, run_here

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

# If one of these fails as the first, all is as it was.
_WHOLE_OR_NOT = ("put_file", "put_directory", "put_link", "remove_path")


def main(stdin: bytes) -> int:
    """Run on the host: arm, do, and leave word of how it went for whoever comes in anew."""
    asked = json.loads(stdin)
    site = Site(run_here, asked["directory"])
    try:
        arm(site, asked["switch"])
    except Refused as refusal:
        sys.stdout.write(json.dumps({"refused": str(refusal)}) + "\n")
        return 1
    signal.signal(signal.SIGTERM, _end)
    act_on_trial(site, asked["switch"]["token"], Batch(directory=asked["directory"]), asked["acts"])
    return 0


def act_on_trial(site: Site, token: str, batch: Batch, acts: list[dict[str, Any]]) -> None:
    """Do the acts. Whoever is connected need not hear of it any more: the result is kept."""
    result = {"token": token, "error": None, "is_untouched": False}
    for told in perform(batch, acts):
        if "error" in told:
            failed = acts[told["act"]]["act"]
            result["error"] = told["error"]
            result["is_untouched"] = told["act"] == 0 and failed in _WHOLE_OR_NOT
    site.write(RESULT, result)


def _end(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise Ended
