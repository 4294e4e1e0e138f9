"""What turns a file into text, in a process of its own with hard limits and nothing of ours in reach.

No module here may import Django or anything that reads settings: the child has neither.
"""
