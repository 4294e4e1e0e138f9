"""Events to browsers, with replay: an outbox in PostgreSQL, a bus in Valkey."""
