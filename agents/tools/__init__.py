"""Tools: one module per subject, one gate for every call.

A new tool is a pydantic argument model and a function in a module here, a `Tool` in that module's `TOOLS`, and,
for a new module, a line in `registry.py`. Say truthfully whether it is transactional and repeatable (see `base`).
Test success, refusal, another tenant, and two calls in a row.
"""
