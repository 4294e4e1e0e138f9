"""Reads. The actor comes first; what the actor may not see is NotFound."""
