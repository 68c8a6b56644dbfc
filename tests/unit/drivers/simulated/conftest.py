"""A small simulated farm."""

from __future__ import annotations

import pytest

from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.drivers.simulated.state import FarmState
from tests.unit.drivers.simulated.samples import small_state


@pytest.fixture
def state() -> FarmState:
    return small_state()


@pytest.fixture
def farm(state: FarmState) -> SimulatedFarm:
    return SimulatedFarm(state)
