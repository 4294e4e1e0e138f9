"""Writes: check, save, publish. One module per subject."""
