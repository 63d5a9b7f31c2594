"""What the help of the comparison explains."""

GUIDE: tuple[str, ...] = (
    "The list on top names the arms: each is a run, or all marked seeds of a recipe. The others are compared "
    "with the first; T picks another. An arm keeps its colour and its mark everywhere; several seeds are one "
    "curve, their mean in a band from the lowest to the highest, and one matrix, their sum. a sets them apart.",
    "The forest has a row per difference: its interval about it, zero, and grey behind it what two seeds of one "
    "recipe differ by, where the registry has such seeds.",
    "Run against run is paired by dev example, seeds against seeds by seed, from five up by both at once. Where seeds "
    "cannot decide, it is said how many more would; ^s queues them. A verdict needs a p value that holds "
    "after Holm's correction over all that is shown, and an interval without zero; undecided is not “no effect”.",
    "S is (1 + ρ)/2; the overall score is the mean over the tasks, with S in place of a correlation.",
    "^l writes all of it, and more, as a page to be read, printed or passed on: `bertmt report` has other formats.",
    "Where there is room all is on one page: Tab and the digits go from pane to pane, and the digit of the pane at "
    "hand shows it alone, or all again. Where Confusion stands alone, Tab goes to the next task, as ] does.",
)
