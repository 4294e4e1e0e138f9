"""Drivers: one module for each way to put walls around a command; each turns a `Command` into an `Order`."""

from __future__ import annotations

from agents.sandbox.drivers.bare import Bare
from agents.sandbox.drivers.base import Sandbox
from agents.sandbox.drivers.bubblewrap import Bubblewrap
from agents.sandbox.drivers.namespaces import Namespaces
from agents.sandbox.drivers.seatbelt import Seatbelt

DRIVERS: dict[str, Sandbox] = {
    driver.name: driver for driver in (Bubblewrap(), Namespaces(), Seatbelt(), Bare())
}
"""Best first; the last has no walls and is never chosen by itself."""
