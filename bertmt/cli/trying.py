"""`bertmt try`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bertmt.cli import diagnostics, output
from bertmt.cli.invocation import existing_registry
from bertmt.cli.parameters import AsJson, RunWords

if TYPE_CHECKING:
    from bertmt.services.analysis.trying.board import Board

Sentence = Annotated[str, typer.Option("--sentence", metavar="TEXT", help="What to try.")]
Pair = Annotated[str | None, typer.Option("--pair", metavar="TEXT", help="The second text, for tasks about pairs.")]
Words = Annotated[bool, typer.Option("--words", help="Tell too what leaving out each word does.")]


def try_(
    context: typer.Context,
    runs: RunWords,
    sentence: Sentence,
    pair: Pair = None,
    words: Words = False,
    as_json: AsJson = False,
) -> None:
    """Ask several runs about a sentence or a pair, side by side.

    With the probability of each class. Runs that kept a model alone can be asked; for the others it says why not.
    """
    from bertmt.errors import NotFoundError
    from bertmt.services.analysis.trying.once import ask_once
    from bertmt.services.analysis.trying.runs import choose_tried
    from bertmt.services.browse.lookup import named_runs

    database = existing_registry(context)
    chosen = choose_tried(database, named_runs(database, runs))
    if not chosen.tried:
        raise NotFoundError("\n".join(chosen.refused.values()))
    board = ask_once(chosen, sentence, pair, words or as_json)
    if as_json:
        output.write_document("bertmt.tried/1", _document(board))
        return
    for refusal in board.refused.values():
        diagnostics.note(refusal)
    _write(board)


def _write(board: "Board") -> None:
    from bertmt.services.analysis.trying.formatting import board_lines

    board.refused.clear()  # these were told
    output.write_lines(board_lines(board, output.size()[0]))


def _document(board: "Board") -> dict[str, Any]:
    """Every answer, with the change that leaving out each word makes."""
    from bertmt.services.analysis.trying.board import effects_of, shares_of

    answers = []
    for run in board.runs:
        for name, task in run.tasks.items():
            told, words = board.told.get((run.id, name)), board.words.get((run.id, name))
            if told is None:
                continue
            effects = [] if words is None else effects_of(task, told, words)
            answers.append({
                "run": run.id, "task": name,
                "label": int(told.label) if task.classes else task.label_at(told.label),
                "class": task.classes[int(told.label)] if task.classes else None,
                "probabilities": shares_of(task, told.probabilities),
                "words": [{"text": each.text, "change": each.change, "label": each.chosen} for each in effects],
            })  # fmt: skip
    return {"answers": answers, "refused": board.refused}
