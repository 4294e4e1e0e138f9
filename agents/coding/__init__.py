"""Coding agents that others wrote, doing a worker's task within our walls and through our gate.

A backend (`opencode`, `claude`) brings its own loop and its own tools. To the run engine its session stands where a model stands:
`conversation` hears it out until it wants to make a call, and hands that on as a step with tool calls, which pass the gate, wait
for people and are recorded like any other. Its model requests come back to us by `llm.serving`. `place` is where it runs,
`choosing` which one does.

A session outlives its program: its folder is kept while the run lives, so that a run which waited for a person, or whose executor
was lost, goes on where it was.
"""
