"""The site joins every package: settings, URLs, API, pages, gateway, launcher.

Kept free of imports: the launcher lives below it and runs before anything is installed.
"""
