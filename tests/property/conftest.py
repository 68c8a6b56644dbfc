"""Examples are derived from the tests themselves, so that every run tries the same ones."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "property",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("property")
