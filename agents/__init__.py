"""Agents and their runs: the engine, the processes, the tools and the prompts."""
