"""What is known of a conversation with some runs: whose model is there, and the answers to what was asked last."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bertmt.registry.records import Run
from bertmt.services.analysis.trying.said import Done, Ended, Loaded, Ready, Refused, Said, Told, Words
from bertmt.tasks.task import Task


@dataclass(kw_only=True)
class Board:
    """Hears what the child says, and forgets what is not about the newest question.

    Attributes:
        runs: those that are tried, in order.
        refused: by run id why it cannot be asked.
        loaded: ids of the runs whose models are in memory.
        asked: the number of the newest question; 0 before the first.
        told, words: the answers to it, by run id and task; those of the question before until the first one comes.
        ended: why there is no child any more; "" while there is one.
    """

    runs: Sequence[Run]
    refused: dict[str, str] = field(default_factory=dict)
    loaded: set[str] = field(default_factory=set)
    is_ready: bool = False
    asked: int = 0
    answered: int = 0
    told: dict[tuple[str, str], Told] = field(default_factory=dict)
    words: dict[tuple[str, str], Words] = field(default_factory=dict)
    ended: str = ""

    def hear(self, said: Said) -> None:
        """Take note; what answers an older question is dropped."""
        match said:
            case Loaded(run):
                self.loaded.add(run)
            case Refused(run, sentence, None):
                self.refused[run] = sentence
            case Ready():
                self.is_ready = True
            case Ended(sentence):
                self.ended = sentence
            case Refused(run, sentence, self.asked):
                self._begin()
                self.refused[run] = sentence
            case Told(number=self.asked):
                self._begin()
                self.told[said.run, said.task] = said
            case Words(number=self.asked):
                self.words[said.run, said.task] = said
            case Done(self.asked):
                self._begin()

    def ask(self, number: int) -> None:
        """A newer question is on its way."""
        self.asked = number

    def clear(self) -> None:
        """Nothing is asked now."""
        self.asked, self.answered = -1, -1
        self.told.clear()
        self.words.clear()

    def _begin(self) -> None:
        """The first answer to the newest question takes the place of those to the one before."""
        if self.answered != self.asked:
            self.answered = self.asked
            self.told.clear()
            self.words.clear()

    def answered_tasks(self) -> list[Task]:
        """The tasks with answers, each once; of two definitions of one name both."""
        found: list[Task] = []
        for run in self.runs:
            for name, task in run.tasks.items():
                if (run.id, name) in self.told and task not in found:
                    found.append(task)
        return found


def shares_of(task: Task, probabilities: Sequence[float]) -> list[float]:
    """The probability of each class, of two classes too; none of a number."""
    if not task.classes:
        return []
    return [1 - probabilities[0], probabilities[0]] if task.outputs == 1 else list(probabilities)


@dataclass(frozen=True)
class Effect:
    """What leaving a word out does.

    Attributes:
        change: of the probability of the class that was chosen with it; of a number, on the scale of the labels.
        chosen: the class that is chosen without it, where that is another one; None where it stays.
    """

    text: str
    change: float
    chosen: int | None


def effects_of(task: Task, told: Told, words: Words) -> list[Effect]:
    """Word by word."""
    found = []
    for each in words.words:
        if task.classes:
            label = int(told.label)
            before, after = (shares_of(task, said)[label] for said in (told.probabilities, each.probabilities))
            chosen = int(each.label) if int(each.label) != label else None
            found.append(Effect(each.text, after - before, chosen))
        else:
            found.append(Effect(each.text, task.label_at(each.label) - task.label_at(told.label), None))
    return found
