"""The grammar of the toy similarities: pairs of scenes that share more or less of their meaning.

A scene has a subject, a verb, an object, and perhaps a place and a time. A slot that means the same counts in full,
whichever synonym or word order says it; one of the same family ("tomato", "potato") counts in part; the label is the
weighted share, from 0 to 5. People can be subject and object, so that two scenes may have the same words in other
roles.
"""

from dataclasses import dataclass, replace

from bertmt.tasks.embedded.dice import Dice

Concept = tuple[str, ...]  # the words or phrases that mean one thing


@dataclass(frozen=True)
class Domain:
    """Verbs, each as synonyms of (present, past) participles, and the objects they fit."""

    verbs: tuple[tuple[tuple[str, str], ...], ...]
    objects: tuple[Concept, ...]


PEOPLE: tuple[Concept, ...] = (
    ("a man", "a guy"),
    ("a woman", "a lady"),
    ("a boy", "a lad"),
    ("a girl",),
    ("a doctor", "a physician"),
    ("a teacher", "an instructor"),
    ("a soldier",),
    ("a farmer",),
    ("a student", "a pupil"),
    ("a child", "a kid"),
)
DOMAINS: tuple[Domain, ...] = (
    Domain(
        (
            (("slicing", "sliced"), ("cutting", "cut")),
            (("cooking", "cooked"), ("preparing", "prepared")),
            (("eating", "eaten"), ("chewing", "chewed")),
            (("washing", "washed"), ("rinsing", "rinsed")),
        ),
        (("a tomato",), ("a potato",), ("an onion",), ("some bread", "a loaf"), ("a fish",), ("an apple",)),
    ),
    Domain(
        (
            (("playing", "played"),),
            (("selling", "sold"),),
            (("tuning", "tuned"), ("adjusting", "adjusted")),
        ),
        (("a guitar",), ("a piano",), ("a violin", "a fiddle"), ("a flute",), ("a drum",)),
    ),
    Domain(
        (
            (("reading", "read"), ("studying", "studied")),
            (("writing", "written"), ("composing", "composed")),
            (("burning", "burned"), ("destroying", "destroyed")),
        ),
        (("a book", "a volume"), ("a letter",), ("a poem",), ("a report", "an account"), ("a song", "a tune")),
    ),
    Domain(
        (
            (("driving", "driven"), ("steering", "steered")),
            (("repairing", "repaired"), ("fixing", "fixed")),
            (("pushing", "pushed"), ("shoving", "shoved")),
            (("stealing", "stolen"),),
        ),
        (("a car", "an automobile"), ("a truck", "a lorry"), ("a bus", "a coach"), ("a motorcycle", "a motorbike")),
    ),
    Domain(
        (
            (("throwing", "thrown"), ("tossing", "tossed")),
            (("catching", "caught"), ("grabbing", "grabbed")),
            (("carrying", "carried"),),
            (("hiding", "hidden"), ("concealing", "concealed")),
        ),
        (("a ball",), ("a box", "a crate"), ("a bag", "a sack"), ("a rope",), ("a stone", "a rock")),
    ),
    Domain(
        (
            (("helping", "helped"), ("assisting", "assisted")),
            (("calling", "called"), ("phoning", "phoned")),
            (("greeting", "greeted"), ("welcoming", "welcomed")),
            (("following", "followed"),),
        ),
        PEOPLE,
    ),
)
PLACES: tuple[Concept, ...] = (
    ("in a kitchen",),
    ("in a garden", "in a yard"),
    ("in the street", "on the road"),
    ("in a park",),
    ("on the beach", "by the sea"),
    ("at school", "in a classroom"),
    ("at a station",),
    ("in a forest", "in the woods"),
)
TIMES: tuple[Concept, ...] = (
    ("in the morning",),
    ("at noon", "at midday"),
    ("at night", "after dark"),
    ("in winter",),
    ("on a sunday",),
)
WEIGHTS = {"subject": 0.2, "verb": 0.3, "object": 0.25, "place": 0.15, "time": 0.1}
RELATED = 0.25  # of the same family: two foods, two people, two things one does with a car
UNSAID = 0.5  # said of one scene only
# How a second scene is made from the first, as weights of everything, deed, roles and slots, by the band of similarity:
# a change that cannot land in a band is not tried there, which saves more than half of the draws.
CHANGES = ((8, 1, 0, 0), (3, 6, 0, 4), (0, 4, 3, 8), (0, 0, 4, 8), (0, 0, 0, 1))


@dataclass(frozen=True)
class Scene:
    """A scene by the indices of its concepts; place and time may be left out."""

    domain: int
    subject: int
    verb: int
    object: int
    place: int | None
    time: int | None


def scene_pair(dice: Dice, band: int) -> tuple[str, str, float]:
    """Two sentences about scenes and how similar these are: from `band` up to the next whole number (4: up to 5)."""
    while True:
        first = _scene(dice)
        second = _other(dice, first, band)
        label = similarity(first, second)
        if band <= label < band + 1 or label == band + 1 == 5:
            return _told(dice, first), _told(dice, second), label


def _other(dice: Dice, scene: Scene, band: int) -> Scene:
    """A scene that has nothing, something or everything to do with this one."""
    change = dice.weighted(("everything", "deed", "roles", "slots"), CHANGES[band])
    if change == "everything":
        return _scene(dice)
    if change == "deed":  # the same person, place and time, but something else is done
        return replace(_scene(dice, scene.subject), place=scene.place, time=scene.time)
    if change == "roles" and DOMAINS[scene.domain].objects is PEOPLE:
        return replace(scene, subject=scene.object, object=scene.subject)
    for slot in dice.shuffled(tuple(WEIGHTS))[: dice.below(2) if band == 4 else 1 + dice.below(3)]:
        scene = _changed(dice, scene, slot)
    return scene


def similarity(first: Scene, second: Scene) -> float:
    """The weighted share of the slots that two scenes have in common, times 5; a slot both leave out does not count."""
    total = shared = 0.0
    for slot, weight in WEIGHTS.items():
        one, other = getattr(first, slot), getattr(second, slot)
        if one is None and other is None:
            continue
        total += weight
        if one is None or other is None:
            shared += weight * UNSAID
        elif slot in ("verb", "object") and first.domain != second.domain:
            continue
        elif one == other:
            shared += weight
        elif slot in ("subject", "verb", "object"):
            shared += weight * RELATED
    return round(5 * shared / total, 2)


def _scene(dice: Dice, subject: int | None = None) -> Scene:
    number = dice.below(len(DOMAINS))
    domain = DOMAINS[number]
    subject = dice.below(len(PEOPLE)) if subject is None else subject
    choices = range(len(domain.objects))
    thing = dice.pick_other(choices, subject) if domain.objects is PEOPLE else dice.pick(choices)
    place = dice.below(len(PLACES)) if dice.chance(0.7) else None
    time = dice.below(len(TIMES)) if dice.chance(0.5) else None
    return Scene(number, subject, dice.below(len(domain.verbs)), thing, place, time)


def _changed(dice: Dice, scene: Scene, slot: str) -> Scene:
    """The scene with one slot meaning something else; a place or time may also fall away."""
    domain = DOMAINS[scene.domain]
    if slot == "subject":
        taken = (scene.subject, scene.object) if domain.objects is PEOPLE else (scene.subject,)
        return replace(scene, subject=dice.pick([each for each in range(len(PEOPLE)) if each not in taken]))
    if slot == "verb":
        return replace(scene, verb=dice.pick_other(range(len(domain.verbs)), scene.verb))
    if slot == "object":
        taken = (scene.subject, scene.object) if domain.objects is PEOPLE else (scene.object,)
        return replace(scene, object=dice.pick([each for each in range(len(domain.objects)) if each not in taken]))
    if slot == "place":
        other = None if dice.chance(0.3) else dice.pick_other(range(len(PLACES)), scene.place)
        return replace(scene, place=other)
    return replace(scene, time=None if dice.chance(0.3) else dice.pick_other(range(len(TIMES)), scene.time))


def _told(dice: Dice, scene: Scene) -> str:
    """A sentence that tells a scene, in one of several word orders."""
    domain = DOMAINS[scene.domain]
    subject = dice.pick(PEOPLE[scene.subject])
    present, past = dice.pick(domain.verbs[scene.verb])
    thing = dice.pick(domain.objects[scene.object])
    place = "" if scene.place is None else f" {dice.pick(PLACES[scene.place])}"
    time = "" if scene.time is None else f" {dice.pick(TIMES[scene.time])}"
    front = f"{time.strip()} , " if time and dice.chance(0.4) else ""
    end = place if front else place + time
    form = dice.weighted(("active", "passive", "there"), (6, 3, 2))
    if form == "passive":
        return f"{front}{thing} is being {past} by {subject}{end} ."
    if form == "there":
        return f"{front}there is {subject} {present} {thing}{end} ."
    return f"{front}{subject} is {present} {thing}{end} ."
