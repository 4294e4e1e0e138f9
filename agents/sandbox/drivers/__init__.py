"""Drivers: one module for each way to put walls around a command; each turns a `Command` into an `Order`."""
