"""How much a task may be: what a user defines and what a folder from elsewhere tells are held to the same."""

from bertmt.tasks.task import Task

# Far more than anybody has: each class takes room in every table of them.
MOST_CLASSES = 10_000
LONGEST_TEXT = 200  # characters


def limit_problem(task: Task) -> str | None:
    """What a task has too much of, or what no screen can show; None where nothing."""
    if len(task.classes) > MOST_CLASSES:
        return f"{task.name} has {len(task.classes):,} classes, and may have {MOST_CLASSES:,}"
    for what, least, texts in (
        ("title", 1, [task.title]),
        ("data set", 0, [task.data_set]),
        ("class", 1, task.classes),
    ):
        for text in texts:
            if not (least <= len(text) <= LONGEST_TEXT and text.isprintable()):
                about = "must be a printable text" if least else "must be empty or a printable text"
                return f"a {what} of {task.name} {about} of 1 to {LONGEST_TEXT} characters, but is {_shown(text)}"
    return None


def _shown(text: str) -> str:
    return ascii(text[:40]) + ("…" if len(text) > 40 else "")
