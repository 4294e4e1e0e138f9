"""The tenant: people, organizations, roles, tokens and the audit trail."""
