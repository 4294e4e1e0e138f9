"""Chat models behind one protocol: clients, routing, retries and the ledger."""
