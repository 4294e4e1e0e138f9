"""Find secrets in text and take them out: known values in every usual encoding, and tokens by their public shape.

Pure Python, no Django: `Scrubber` for whole texts, JSON and files, `RollingScrubber` for text that arrives in pieces.
What it looks for and what it cannot see is told in docs/secrets.md.
"""
