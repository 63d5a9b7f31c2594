"""The grammar of the toy sentiments: opinions on films whose class follows from what is said, not from words alone.

A statement has a strength from -2 to 2. An intensifier moves it one away from 0 and a hedge one towards 0, though not
onto it. A negation moves it by two towards the other side, so that "not good" is somewhat negative and "not superb"
neutral (shift negation: Taboada et al. 2011, Lexicon-Based Methods for Sentiment Analysis, section 2.4). Of two
statements joined by "but", the one that the speaker ends on counts double.
"""

from bertmt.tasks.embedded.dice import Dice

ADJECTIVES: dict[int, tuple[str, ...]] = {
    2: ("superb", "brilliant", "wonderful", "masterful", "dazzling", "magnificent", "stunning", "flawless"),
    1: ("good", "pleasant", "charming", "clever", "funny", "warm", "lively", "engaging", "fresh", "tender"),
    0: ("ordinary", "average", "typical", "familiar", "conventional", "usual"),
    -1: ("dull", "weak", "slow", "clumsy", "bland", "shallow", "tired", "uneven", "stale", "noisy"),
    -2: ("awful", "terrible", "dreadful", "unbearable", "horrible", "disastrous", "worthless", "atrocious"),
}
VERBS: dict[int, tuple[tuple[str, str], ...]] = {  # past tense, and the form behind "did not"
    2: (("loved", "love"), ("adored", "adore")),
    1: (("liked", "like"), ("enjoyed", "enjoy")),
    0: (("watched", "watch"), ("noticed", "notice")),
    -1: (("disliked", "dislike"), ("regretted", "regret")),
    -2: (("hated", "hate"), ("loathed", "loathe")),
}
INTENSIFIERS = ("very", "truly", "really", "extremely", "deeply")
HEDGES = ("somewhat", "a little", "fairly", "slightly", "rather")
NEGATIONS = ("not", "never", "hardly")
ASPECTS = (
    *("the film", "the plot", "the acting", "the story", "the script", "the music", "the cast", "the dialogue"),
    *("the ending", "the humor", "the lead actor", "the camera work", "the first half", "the second half"),
)
GENRES = ("comedy", "drama", "thriller", "western", "romance", "documentary", "musical", "sequel")
TOPICS = (
    *("two brothers", "a lost dog", "a jazz band", "a small town", "an old sailor", "a bank robbery"),
    *("a long war", "young love", "a family dinner", "a chess player"),
)
OPENINGS = ("", "", "", "", "on the whole , ", "to be honest , ", "in the end , ", "for the most part , ", "i think ")
PLACES = ("paris", "texas", "a small village", "new york", "the desert", "a hospital", "the mountains", "a prison")
HOURS = ("one hour", "two hours", "three hours", "ninety minutes")


def sentiment(dice: Dice, wanted: int) -> str:
    """A sentence of class `wanted`, from 0 (negative) to 4 (positive)."""
    while True:
        sentence, strength = _sentence(dice)
        if strength + 2 == wanted:
            return f"{sentence} ."


def _sentence(dice: Dice) -> tuple[str, int]:
    form = dice.weighted(("one", "and", "but", "although", "fact"), (45, 20, 17, 15, 3))
    opening = dice.pick(OPENINGS)
    first, one = _statement(dice)
    if form == "one":
        return opening + first, one
    if form == "fact":
        return opening + _fact(dice), 0
    second, two = _statement(dice)
    if form == "and":
        return f"{opening}{first} and {second}", _rounded(one + two, 2)
    if form == "but":
        return f"{opening}{first} but {second}", _rounded(one + 2 * two, 3)
    # "although" marks the statement that gives way, wherever it stands.
    if dice.chance(0.5):
        return f"although {first} , {second}", _rounded(one + 2 * two, 3)
    return f"{first} , although {second}", _rounded(2 * one + two, 3)


def _rounded(total: int, count: int) -> int:
    """The mean, rounded half away from zero: two mixed words lean to the stronger."""
    nearest = (2 * abs(total) + count) // (2 * count)
    return nearest if total > 0 else -nearest


def _statement(dice: Dice) -> tuple[str, int]:
    """A clause about one aspect, and its strength."""
    strength = dice.weighted((-2, -1, 0, 1, 2), (3, 3, 1, 3, 3))
    if dice.chance(0.2):
        return _verdict(dice, strength)
    words, strength = _judgement(dice, strength)
    subject = f"this {dice.pick(GENRES)} about {dice.pick(TOPICS)}" if dice.chance(0.25) else dice.pick(ASPECTS)
    return f"{subject} is {words}", strength


def _judgement(dice: Dice, strength: int) -> tuple[str, int]:
    """An adjective with what modifies it, and the strength of the whole."""
    words = dice.pick(ADJECTIVES[strength])
    sign = (strength > 0) - (strength < 0)
    if abs(strength) == 1 and dice.chance(0.35):
        words, strength = f"{dice.pick(INTENSIFIERS)} {words}", 2 * sign
    elif abs(strength) == 2 and dice.chance(0.35):
        words, strength = f"{dice.pick(HEDGES)} {words}", sign
        return words, strength  # nobody says "not a little awful"
    if strength and dice.chance(0.25):
        words, strength = f"{dice.pick(NEGATIONS)} {words}", strength - 2 * sign
    return words, strength


def _verdict(dice: Dice, strength: int) -> tuple[str, int]:
    """What the speaker did with one aspect."""
    past, base = dice.pick(VERBS[strength])
    sign = (strength > 0) - (strength < 0)
    aspect = dice.pick(ASPECTS)
    if strength and dice.chance(0.3):
        return f"i did not {base} {aspect}", strength - 2 * sign
    if abs(strength) == 1 and dice.chance(0.3):
        return f"i really {past} {aspect}", 2 * sign
    return f"i {past} {aspect}", strength


def _fact(dice: Dice) -> str:
    """A clause without an opinion."""
    if dice.chance(0.5):
        return f"this {dice.pick(GENRES)} runs for {dice.pick(HOURS)}"
    return f"this {dice.pick(GENRES)} about {dice.pick(TOPICS)} is set in {dice.pick(PLACES)}"
