"""The grammar of the toy paraphrases: questions asked again in other words, against near misses.

A question has a frame, what fills its slots, a side (the frame's meaning or its opposite) and a circumstance. A
paraphrase keeps all four and changes the wording. A near miss changes one of them and keeps as many words as it can:
swapped roles ("from paris to rome", "from rome to paris"), another entity or number, the opposite side ("buy", "sell").

Some frames are asked again more often than others. So it is in Quora's pairs, where the topic alone tells something
about the label; without it the paper's baseline could learn nothing here, for its PARA head is one linear map of
[E1; E2], a sum of what each sentence says on its own.
"""

from dataclasses import dataclass

from bertmt.tasks.embedded.dice import Dice

CITIES = ("paris", "rome", "london", "berlin", "madrid", "vienna", "oslo", "tokyo", "delhi", "cairo", "boston", "lima")
SKILLS = ("french", "chess", "swimming", "painting", "spanish", "cooking", "drawing", "german", "singing", "python")
SCIENCES = ("physics", "chemistry", "biology", "history", "law", "medicine", "music", "economics", "geology", "logic")
STATES = ("stress", "noise", "hunger", "boredom", "fear", "anger", "fatigue", "pain", "poverty", "pride", "thirst")
GOODS = ("a bicycle", "a laptop", "a phone", "a piano", "a sofa", "a camera", "a tent", "a mirror", "a lamp")
ACTS = ("eat", "run", "sleep", "shower", "study", "stretch", "drink", "rest", "exercise", "read")
HABITS = ("smoking", "gambling", "shopping", "gossiping", "daydreaming", "snacking", "lying", "complaining", "dieting")
TRADES = ("nurse", "pilot", "lawyer", "baker", "plumber", "dentist", "carpenter", "writer", "chemist", "sailor")
NAMES = ("anna", "boris", "carla", "david", "elena", "frank", "greta", "hugo", "irene", "jonas")
NUMBERS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "twelve")
SUMS = ("100", "200", "300", "500", "800", "1000", "2000", "5000")
CIRCUMSTANCES = (
    *("", "", "as a student", "with little money", "this year", "on my own", "in winter", "as a beginner"),
    *("at my age", "without a car", "after work", "with a friend"),
)


@dataclass(frozen=True)
class Frame:
    """One thing to ask about.

    Attributes:
        slots: what may fill {0}, {1}, …
        wordings: of the frame's meaning.
        opposite: wordings of the other side; none where it has no opposite.
        roles: whether the first two slots draw from one list and their order matters.
        repeated: how often, relative to other frames, it is asked again: its weight among paraphrases, and one less
            that among the other pairs.
    """

    slots: tuple[tuple[str, ...], ...]
    wordings: tuple[str, ...]
    opposite: tuple[str, ...] = ()
    roles: bool = False
    repeated: float = 0.5


FRAMES: tuple[Frame, ...] = (
    Frame(
        (CITIES, CITIES),
        (
            "how do i travel from {0} to {1}",
            "what is the best way to get from {0} to {1}",
            "how can i go to {1} from {0}",
            "which route leads from {0} to {1}",
        ),
        roles=True,
        repeated=0.6,
    ),
    Frame(
        (SCIENCES, SCIENCES),
        ("is {0} harder than {1}", "is {1} easier than {0}", "does {0} take more effort than {1}"),
        roles=True,
        repeated=0.3,
    ),
    Frame(
        (STATES, STATES),
        ("why does {0} lead to {1}", "how does {0} cause {1}", "what makes {1} follow from {0}"),
        roles=True,
        repeated=0.3,
    ),
    Frame(
        (SKILLS, NUMBERS),
        (
            "how can i learn {0} in {1} weeks",
            "what is the best way to master {0} within {1} weeks",
            "how do i become good at {0} in {1} weeks",
        ),
        ("how can i teach {0} in {1} weeks", "what is the best way to explain {0} to others within {1} weeks"),
        repeated=0.8,
    ),
    Frame(
        (GOODS, CITIES),
        (
            "how much does {0} cost in {1}",
            "what is the price of {0} in {1}",
            "what do people pay for {0} in {1}",
        ),
        ("how much does it cost to repair {0} in {1}", "what do people pay to have {0} fixed in {1}"),
        repeated=0.25,
    ),
    Frame(
        (GOODS, CITIES),
        ("where can i buy {0} in {1}", "which shop in {1} sells {0}", "what is a good place to get {0} in {1}"),
        ("where can i sell {0} in {1}", "which shop in {1} buys {0}"),
        repeated=0.7,
    ),
    Frame(
        (ACTS, ACTS),
        ("should i {0} before i {1}", "is it better to {0} first and {1} later", "do i have to {0} before i {1}"),
        roles=True,
        repeated=0.4,
    ),
    Frame(
        (SUMS, NUMBERS),
        (
            "how can i save {0} dollars in {1} months",
            "what is a good way to put {0} dollars aside within {1} months",
            "how do i set {0} dollars apart in {1} months",
        ),
        ("how can i spend {0} dollars in {1} months", "what is a good way to use up {0} dollars within {1} months"),
        repeated=0.75,
    ),
    Frame(
        (HABITS, NUMBERS),
        (
            "how do i stop {0} in {1} days",
            "what helps me to give up {0} within {1} days",
            "how can i quit {0} in {1} days",
        ),
        ("how do i start {0} in {1} days", "what helps me to take up {0} within {1} days"),
        repeated=0.7,
    ),
    Frame(
        (TRADES, CITIES),
        (
            "how do i become a {0} in {1}",
            "what should i study to work as a {0} in {1}",
            "how can i get a job as a {0} in {1}",
        ),
        ("how do i hire a {0} in {1}", "how can i find a {0} who works for me in {1}"),
        repeated=0.6,
    ),
    Frame(
        (NAMES, NAMES),
        ("did {0} beat {1} at cards", "was {1} beaten by {0} at cards", "did {1} lose to {0} at cards"),
        roles=True,
        repeated=0.2,
    ),
    Frame(
        (CITIES, NUMBERS),
        (
            "what can i see in {0} in {1} days",
            "which sights of {0} should i visit in {1} days",
            "what is worth seeing in {0} within {1} days",
        ),
        ("what should i avoid in {0} in {1} days", "which parts of {0} should i stay away from in {1} days"),
        repeated=0.4,
    ),
)


@dataclass(frozen=True)
class _Question:
    frame: Frame
    fillers: tuple[str, ...]
    wordings: tuple[str, ...]  # of its side
    circumstance: str

    def told(self, dice: Dice, wording: str) -> str:
        text = wording.format(*self.fillers)
        if not self.circumstance:
            return f"{text} ?"
        return f"{self.circumstance} , {text} ?" if dice.chance(0.3) else f"{text} {self.circumstance} ?"


def paraphrase(dice: Dice, popular: bool = True) -> tuple[str, str]:
    """Two wordings of one question.

    Args:
        popular: whether frames come as often as they are asked again, or all equally.
    """
    weights = [frame.repeated if popular else 1.0 for frame in FRAMES]
    question = _question(dice, dice.weighted(FRAMES, weights))
    one = dice.pick(question.wordings)
    return question.told(dice, one), question.told(dice, dice.pick_other(question.wordings, one))


def different(dice: Dice) -> tuple[str, str]:
    """Two different questions: mostly near misses, now and then nothing in common."""
    question = _question(dice, dice.weighted(FRAMES, [1 - frame.repeated for frame in FRAMES]))
    other = _near_miss(dice, question) if dice.chance(0.7) else _question(dice, dice.pick_other(FRAMES, question.frame))
    return question.told(dice, dice.pick(question.wordings)), other.told(dice, dice.pick(other.wordings))


def _question(dice: Dice, frame: Frame) -> _Question:
    fillers = [dice.pick(frame.slots[0])]
    fillers.append(dice.pick_other(frame.slots[1], fillers[0]))
    wordings = frame.opposite if frame.opposite and dice.chance(0.3) else frame.wordings
    return _Question(frame, tuple(fillers), wordings, dice.pick(CIRCUMSTANCES))


def _near_miss(dice: Dice, question: _Question) -> _Question:
    """A question that differs from this one in its roles, its side, or one filler."""
    frame, (first, second) = question.frame, question.fillers
    wordings = question.wordings
    if frame.roles and dice.chance(0.6):
        first, second = second, first
    elif frame.opposite and dice.chance(0.4):
        wordings = frame.wordings if wordings is frame.opposite else frame.opposite
    elif dice.chance(0.5):
        first = dice.pick([filler for filler in frame.slots[0] if filler not in (first, second)])
    else:
        second = dice.pick([filler for filler in frame.slots[1] if filler not in (first, second)])
    return _Question(frame, (first, second), wordings, question.circumstance)
