"""Conversations, messages and deliveries, and the adapters that carry them."""
