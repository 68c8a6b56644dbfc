"""What a site of a proxy cannot say, because nginx could not do it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from reconciler.config.proxy import SiteField

ONE = {"name": "one", "address": "192.168.1.9"}
TWO = {"name": "two", "address": "192.168.1.10", "backup": True}
SITE: dict[str, Any] = {"name": "s", "server_names": ["s.farm.internal"]}


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"upstreams": [TWO]}, "needs a server in upstreams that is no backup"),
        (
            {"upstreams": [ONE, TWO], "sticky": {}},
            "cannot have both a backup and sticky visitors: leave one of them out",
        ),
        ({"upstreams": [ONE], "sticky": {"by": "cookie"}}, "sticky needs the name of a cookie"),
        ({"upstreams": [ONE], "sticky": {"cookie": "seat"}}, "sticky needs the name of a cookie"),
    ],
)
def test_what_nginx_could_not_do_is_told(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        SiteField.model_validate({**SITE, **fields})


@pytest.mark.parametrize(
    "fields",
    [
        {"upstreams": [ONE, TWO]},
        {"upstreams": [ONE], "sticky": {}},
        {"upstreams": [ONE], "sticky": {"by": "cookie", "cookie": "seat"}},
    ],
)
def test_what_nginx_can_do_is_taken(fields: dict[str, Any]) -> None:
    assert SiteField.model_validate({**SITE, **fields}).name == "s"
