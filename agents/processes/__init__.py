"""The kinds of process. A literal table: searchable, no import magic."""
