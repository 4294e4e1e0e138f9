"""Writes: approvals."""
