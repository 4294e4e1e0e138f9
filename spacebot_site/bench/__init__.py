"""Measurements and endurance tests of a whole installation, as a client sees it: `./spacebot bench NAME`.

Each makes a throwaway home with servers of its own and a model server of its own, stays on loopback, ends by
itself and leaves nothing behind. See docs/benchmarks.md.
"""
