"""Files become memories: taken in, read in a child process, cut into chunks, given to a model piece by piece.

`store.py` and `folders.py` take files in, `reading.py` starts the child that `reader/` is, `chunks.py` cuts,
`extraction.py` asks the model, `work.py` holds the order of it all and survives being killed anywhere.
"""
