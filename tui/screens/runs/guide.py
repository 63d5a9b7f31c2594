"""What the help of the list of runs says."""

from bertmt.recipe.marks import MARKS
from tui.formatting.run_signs import ALARM_SIGN, MARK_OF_REQUEST, MARK_OF_STATE
from tui.screens.runs.beside import MARK_OF_VERDICT

SENTENCES = (
    "Every run of the registry: running ones, then the queue in its order, then the newest. Keys act on the marked "
    "runs, or on the one under the cursor if none is marked. Quitting stops nothing: runs belong to workers.",
    "States: "
    + ", ".join(f"{sign} {state}" for state, sign in MARK_OF_STATE.items())
    + "; "
    + ", ".join(f"{sign.text} {word}" for word, sign in MARK_OF_REQUEST.items())
    + f"; {ALARM_SIGN.text} running, with an alarm.",
    "A marked run has the colour and mark in front that it has in every chart and comparison; ● is the baseline's.",
    "Toggles: " + ", ".join(f"{mark.letter} {mark.meaning}" for mark in MARKS) + ".",
    "Δ is the mean difference from the baseline ★ over the tasks that both trained, a correlation x as "
    "(1 + x)/2, as in the overall score. b chooses the baseline; else it is the first `baseline` of equal scale "
    "that finished, of the same seed where there is one.",
    "Verdicts: "
    + ", ".join(f"{sign.text} {word}" for word, sign in MARK_OF_VERDICT.items())
    + ", each run judged alone against its baseline, as c does it. Undecided is not “no effect”; and of 20 runs "
    "that differ in nothing one is better or worse by chance. A Δ without colour is no more than two seeds of one "
    "recipe differ by.",
    "A filter such as `state:running lora>0 overall>0.5 tag:x -tag:y seed:1 | preset=final` names fields of a run "
    "and of its recipe; a bare word is looked for in names, ids, presets and tags. Tab completes keys and values. "
    "f keeps filter, order and columns as a view; in the dialog of columns p pins one at the left.",
)
