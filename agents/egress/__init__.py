"""The way out: every address that a tool reaches is named, checked and pinned here.

`names` reads an address in whatever spelling, `addresses` says which numbers are public, `checking` resolves and decides,
`client` fetches, `proxy` filters for browsers and sandboxed commands. See docs/egress.md.
"""
