"""The HTTP API under /api/v1: the packages' routers, one error shape, one description."""
