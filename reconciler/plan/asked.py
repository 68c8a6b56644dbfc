"""What a commit asks for, under one short name: people approve of that, and it is checked again.

The name must be the same where the merge is reviewed and where it is applied, although the commit
has another id by then, hosts are away, and drift has come or gone. So it is made of what the
commit wants and what was applied last, and of nothing that a look sees.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.model.address import Address
from reconciler.model.resource import Applied, Desired, owner_of
from reconciler.plan.plan import DIGEST_LENGTH


def asked_for(
    environment: str,
    desired: Iterable[Desired[Any]],
    applied: Mapping[Address, Applied],
    rules: str,
) -> str:
    """The name of everything that is new: what is to be made, changed and given up.

    `rules` names the environment's own rules, which somebody may loosen without changing a thing.
    """
    wanted = {want.address: owner_of(environment, want).digest for want in desired}
    known = {address: was.digest for address, was in applied.items()}
    news = sorted(
        (str(address), wanted.get(address))
        for address in wanted.keys() | known.keys()
        if wanted.get(address) != known.get(address)
    )
    text = json.dumps([environment, rules, news])
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_LENGTH]
