"""Set-up and supervision. Standard library only: it runs before anything is installed."""
