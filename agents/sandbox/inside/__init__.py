"""The child's side of the launcher: started by `python -I -S`, with neither Django nor settings in reach.

Every module here imports as little as it can, not even `typing`: what it imports is paid at each start of a command.
"""
