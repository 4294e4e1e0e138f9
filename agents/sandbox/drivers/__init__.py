"""Drivers: one module for each way to put walls around a command; each turns a `Command` into an `Order`."""

from __future__ import annotations

from agents.sandbox.drivers.bare import Bare
from agents.sandbox.drivers.base import Sandbox
from agents.sandbox.drivers.bubblewrap import Bubblewrap

DRIVERS: dict[str, Sandbox] = {driver.name: driver for driver in (Bubblewrap(), Bare())}
"""Best first; the last has no walls and is never chosen by itself."""
