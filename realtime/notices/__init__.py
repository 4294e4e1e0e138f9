"""Notices: what one person should know of, in the page, counted until read, and by mail for those who want it."""
