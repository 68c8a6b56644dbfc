"""The limits of fetching are those of the operator's settings."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from reconciler.config.image_settings import ImageSettings
from reconciler.drivers.images.rules import ImageRules
from tests.images.specimens import GIB


def test_without_settings_the_rules_are_the_documented_defaults() -> None:
    assert ImageRules.of(ImageSettings()) == ImageRules()


def test_every_setting_is_heeded() -> None:
    settings = ImageSettings.model_validate(
        {
            "allowed_hosts": ["images.example", "*.debian.org"],
            "directories": ["/data/images"],
            "private_networks": True,
            "largest": "1 GiB",
            "largest_disk": "20 GiB",
            "deadline": "5m",
        }
    )
    assert ImageRules.of(settings) == ImageRules(
        ("images.example", "*.debian.org"),
        (Path("/data/images"),),
        private_networks=True,
        largest_bytes=GIB,
        largest_disk_bytes=20 * GIB,
        deadline=timedelta(minutes=5),
    )


@pytest.mark.parametrize(
    "setting", [{"allowed_hosts": ["*"]}, {"directories": ["images"]}, {"deadline": "0s"}]
)
def test_settings_that_mean_nothing_are_refused(setting: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ImageSettings.model_validate(setting)


@pytest.mark.parametrize(
    ("host", "is_allowed"),
    [
        *(("images.example", True), ("cdimage.debian.org", True), ("a.b.debian.org", True)),
        *(("debian.org", False), ("evildebian.org", False), ("images.example.evil.org", False)),
    ],
)
def test_a_host_is_allowed_by_name_or_by_domain(host: str, is_allowed: bool) -> None:
    rules = ImageRules(allowed_hosts=("images.example", "*.debian.org"))
    assert rules.allows_host(host) is is_allowed
