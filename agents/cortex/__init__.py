"""The cortex: what looks after an agent while nobody asks it to. See docs/cortex.md."""
