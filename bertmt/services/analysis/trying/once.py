"""One question to some runs, from the start of the child to its end."""

import queue

from bertmt.errors import BertmtError, UsageError
from bertmt.services.analysis.trying.board import Board
from bertmt.services.analysis.trying.conversation import Conversation, check_text
from bertmt.services.analysis.trying.runs import Chosen
from bertmt.services.analysis.trying.said import Done, Ended, Said


def ask_once(chosen: Chosen, first: str, second: str | None = None, words: bool = False) -> Board:
    """All their answers.

    Raises:
        UsageError: a text is empty or too long, or no run was trained on such a one.
        BertmtError: no model can be loaded, or the child fails.
    """
    for text in (first, *((second,) if second is not None else ())):
        check_text(text)
    runs = [each.run for each in chosen.tried]
    if not any(task.pair == (second is not None) for run in runs for task in run.tasks.values()):
        kind, way = ("pairs", "leave out --pair") if second is not None else ("single sentences", "add --pair TEXT")
        raise UsageError(f"None of these runs was trained on {kind}: {way}.")
    said: queue.Queue[Said] = queue.Queue()
    board = Board(runs=runs, refused=dict(chosen.refused))
    conversation = Conversation(chosen.tried, said.put)
    try:
        board.ask(conversation.ask(first, second, words))
        while (heard := said.get()) != Done(board.asked):
            board.hear(heard)
            if isinstance(heard, Ended):
                raise BertmtError(heard.sentence)
    finally:
        conversation.close()
    if not board.told:
        raise BertmtError("\n".join(board.refused.values()) or "No run answered.")
    return board
