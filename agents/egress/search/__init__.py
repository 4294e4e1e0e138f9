"""Searching the web: a protocol, Brave and SearXNG behind it, and servers in their wire formats for tests."""
