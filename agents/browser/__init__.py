"""A real browser for workers: one per run, behind the filtering proxy and inside walls.

`finding` looks for Chromium, `walls` says which walls, `door` starts it behind them in place of `handing`, which Playwright
starts. `session` drives one, `sessions` keeps one per run, `loop` is the event loop that all of them share. Playwright is
imported when the first browser starts. See docs/browser.md.
"""
