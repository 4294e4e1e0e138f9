"""Encrypted secrets of an organization. The app label is `secrets`."""
