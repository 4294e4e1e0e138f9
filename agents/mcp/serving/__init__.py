"""Spacebot as an MCP server: other programs recall, look at the board, propose tasks and write, with a token's rights."""
