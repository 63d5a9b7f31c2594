"""The keys of the comparison, and the tabs that its digits open."""

from textual.binding import BindingType

from tui.bindings import key

TABS = ("Scores", "Recipes", "Curves", "Confusion")

KEYS: list[BindingType] = [
    *(
        key(str(index + 1), f"open({index})", title.lower(), f"Open {title}.", f"compare.tab{index + 1}")
        for index, title in enumerate(TABS)
    ),
    key("T", "make_first", "first", "Make this arm the reference.", "compare.first", shown=True),
    key("a", "apart", "seeds", "Single runs, or seeds grouped by recipe.", "compare.apart"),
    key("s", "save", "picture", "Save a picture of the curves (SVG) into the current folder.", "compare.save"),
    key("ctrl+l", "report", "report", "Write a report of this comparison (HTML) into the current folder.",
        "compare.report", display="^l"),
    key("tab", "other_task('tab')", "task", "Confusion of the next task.", "compare.next_task", shown=True,
        display="Tab"),
    key("tab", "app.focus_next", "next pane", "Go to the next pane; shift+Tab: to the one before.", "compare.pane"),
    key("percent_sign", "turn", "shares", "Counts, or shares.", "compare.shown", shown=True, display="%"),
    key("ctrl+x", "flips", "flips", "Examples that this arm fixed and broke, by cell.", "compare.flips", shown=True,
        display="^x"),
    key("ctrl+s", "queue", "queue", "Queue the seeds that would decide what is undecided; asks first.",
        "compare.queue", shown=True, display="^s"),
    key("d", "differ", "change", "Counts minus the first run's, or plain counts.", "compare.differences",
        shown=True),
    key("right_square_bracket", "other_task", "next", "Confusion of the next task.", "compare.task", shown=True,
        display="]"),
]  # fmt: skip
