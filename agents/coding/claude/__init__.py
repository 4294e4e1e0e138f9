"""The backend Claude Code (`claude`, a program of Anthropic's that its user installs): driven over its standard streams in JSON.

`program` starts it and speaks with it, `session` follows one conversation, `calls` reads what it wants to do. It runs in its bare
mode: with a shell, an editor and a reader, and without hooks, plugins, memory or settings of a repository.
"""
