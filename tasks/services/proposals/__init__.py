"""Proposals: tasks, goals, changes of goals and schedules that wait for a person, each with the approval that asks for it.

`contents` says what each of them would do, exactly; `following` keeps the approval in step with the row, in the
transaction that writes the row; `doors` is how the board, the goals and the schedule decide: by the same approval as
the inbox; `executors` are what an approval does.
"""
