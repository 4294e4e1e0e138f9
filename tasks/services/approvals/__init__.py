"""What needs a person: asked here, decided here, and checked again here at the moment it happens.

`asking` makes an approval, `deciding` takes verdicts, `executing` claims an approved one for its single execution,
`grants` are permissions that stand for longer, `rules` say who decides, `expiry` closes what nobody decided.

A new kind of thing that needs approval is an `Executor` handed to `kinds.register` by the package that owns the action,
when the site is wired:

    register("task", Executor(label="Task", describe=..., check=..., execute=...))

and a call of `asking.ask(kind="task", action={...}, origin_key="task:7:rev:3", ...)` in the transaction that creates
what waits. `execute` then runs in the transaction of the last verdict, after everything was checked again; it gets
the approval and returns a sentence that says what was done. An action that is run by whoever asked (a waiting run)
says so by `waits` and calls `executing.claim` itself.
"""
