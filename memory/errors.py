"""What memory refuses.

accounts.errors
├── NotFound                    also for rows of others
├── Forbidden
│   └── UntrustedSource         what came from outside cannot become this type of memory by itself
├── InvalidInput
└── Conflict
EmbedderUnavailable             transient: recall goes on with words alone
"""

from __future__ import annotations

from accounts.errors import Forbidden


class UntrustedSource(Forbidden):
    pass


class EmbedderUnavailable(Exception):
    """`str(error)` is safe to show to people."""
