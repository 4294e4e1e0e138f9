"""The pages: each view resolves an actor, asks the packages below, and renders a template."""
