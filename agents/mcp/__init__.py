"""Tools from outside: MCP servers that an organization has added, used over the Model Context Protocol.

| module | job |
| --- | --- |
| `services.py`, `queries.py`, `api.py` | servers and the approval of their tools, as people change and see them |
| `listing.py`, `tool_names.py`, `schemas.py` | what a server says it has, made safe, compared with what was approved |
| `offer.py`, `calls.py`, `results.py` | tools joined to a run, one call, what comes back |
| `hub.py`, `session.py`, `loop.py` | one event loop a process; one session a server; death noticed, connected again |
| `transports.py`, `stdio.py`, `launch.py`, `http.py`, `oauth.py`, `wire.py` | how a server is reached |
| `looking.py` | looking at a server that nobody uses |
| `serving/` | Spacebot as a server |

The `mcp` library takes half a second to import: only what runs in the loop imports it, when it is needed.
"""
