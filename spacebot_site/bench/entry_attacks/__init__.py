"""Planted text, by each way in, that a model obeys to the letter; what it wanted is then looked for outside."""
