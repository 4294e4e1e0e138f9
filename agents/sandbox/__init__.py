"""One launcher for every child process, and the walls around those that a model steers.

`command` says what is to run, `launcher` runs it (`run` to its end, `spawn` for as long as it is wanted), `drivers` build
the walls, `probe` finds out which of them this machine has. `inside` is what runs on the child's side: plain modules that
know neither Django nor settings. Nothing here reads the database; `agents.services.sandboxes` does.
"""
