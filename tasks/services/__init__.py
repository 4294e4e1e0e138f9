"""Writes: what is planned and due."""
