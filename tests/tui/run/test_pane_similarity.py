"""The tab with the paper's Figure 10: the cloud, its line in numbers, and the pairs that are farthest from it.

Of the STS pairs of the built registry, pair i has the label (i mod 11) / 2; a run that has the first n right predicts
exactly that, and 2.5 with some noise for the others.
"""

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from present import present
from registry_builder import COUNT, RegistryBuilder, guesses
from run_screen import open_run, said
from shown import Show, Shown

SIZES = [(80, 24), (120, 40)]
LABELS = np.arange(COUNT) % 11 / 2


def facts(shown: Shown) -> list[Any]:
    """ρ, slope, intercept and n as they are on screen."""
    text = shown.text
    found = (re.search(f"{name} (−?[\\d.,]+)", text) for name in ("Pearson ρ", "slope", "intercept", "n"))
    return [float(present(each)[1].strip(",").replace(",", "").replace("−", "-")) for each in found]


def by_hand(right: float) -> list[Any]:
    predicted = np.asarray(guesses("sts", right), dtype=np.float64) * 5
    slope, intercept = np.polyfit(LABELS, predicted, 1)
    return [np.corrcoef(LABELS, predicted)[0, 1], slope, intercept, COUNT]


@pytest.mark.parametrize("size", [*SIZES, (200, 60)])
async def test_the_cloud_has_its_line_and_the_worst_pairs_beside_it(
    show: Show, alive: Any, size: tuple[int, int]
) -> None:
    async with show(size=size) as shown:
        await open_run(shown, "run001", "3")
        await shown.should_be("run-similarity")
        assert "line of best fit" in shown.text


async def test_correlation_slope_and_intercept_are_those_of_numpy(show: Show, alive: Any) -> None:
    async with show() as shown:
        await open_run(shown, "run001", "3")
        assert facts(shown) == pytest.approx(by_hand(0.3), abs=0.00051)


@pytest.mark.parametrize(
    ("read", "said"), [("separate", "5 × cosine"), ("joint", "5 × output"), ("both", "5 × mean of cosine and output")]
)
async def test_what_is_multiplied_has_its_own_name(
    show: Show, alive: Any, registry: Path, read: str, said: str
) -> None:
    builder = RegistryBuilder(registry)
    changed = "UPDATE runs SET recipe = json_set(recipe, '$.pair_input', ?) WHERE id = 'run001'"
    builder.database.execute(changed, (read,))
    builder.database.close()
    async with show(size=(120, 40)) as shown:
        await open_run(shown, "run001", "3")
        assert shown.text.count(said) == 2, "above the chart, and of the example at the cursor"


async def test_another_epoch_has_its_own_line_and_zero_goes_back(show: Show, alive: Any) -> None:
    async with show() as shown:
        await open_run(shown, "run001", "3", "comma")
        assert "epoch 1 of 0…2, selected 2" in shown.text
        assert facts(shown) == pytest.approx(by_hand(0.15), abs=0.00051)
        await shown.press("0")
        assert "epoch 2 of 0…2, the selected one" in shown.text
        assert facts(shown) == pytest.approx(by_hand(0.3), abs=0.00051)


async def test_pairs_go_by_their_error_and_the_one_at_the_cursor_is_shown_in_full(show: Show, alive: Any) -> None:
    guessed = np.asarray(guesses("sts", 0.3)) * 5
    errors = np.polyval(np.polyfit(guessed, LABELS, 1), guessed) - LABELS
    worst = np.argsort(-np.abs(errors), kind="stable")
    async with show(size=(120, 40)) as shown:
        await open_run(shown, "run001", "3")
        for place in (0, 1, 2):
            assert f"1  scene {worst[place]}" in shown.text and f"id t{worst[place]}" in shown.text
            assert f"error of the best fit {errors[worst[place]]:+.2f}".replace("-", "−") in shown.text
            await shown.press("j")
        await shown.press("G")
        least = float(np.abs(errors).min())
        assert re.search(rf"error of the best fit [+−]?{least:.2f}", shown.text), "the last one is nearest to the line"


async def test_a_picture_of_the_cloud_is_saved_here(
    show: Show, alive: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with show() as shown:
        await open_run(shown, "run001", "3", "s")
        [picture] = tmp_path.glob("bertmt-run001-sts-similarity-*.svg")
        assert picture.name in said(shown)[0]
        texts = [each.text for each in ElementTree.parse(picture).iter("{http://www.w3.org/2000/svg}text")]
        assert "predicted" in texts


async def test_a_run_that_trained_no_similarity_says_what_it_trained(show: Show, alive: Any, evaluated: Path) -> None:
    async with show() as shown:
        await open_run(shown, "run012", "3")
        said = " ".join(shown.text.split())
        assert (
            "A chart of similarities needs a task with a number as label, but run run012 trains SST, PARA only." in said
        )


@pytest.mark.parametrize("size", SIZES)
async def test_a_running_run_shows_its_newest_epoch(
    show: Show, alive: Any, evaluated: Path, size: tuple[int, int]
) -> None:
    async with show(size=size) as shown:
        await open_run(shown, "run011", "3")
        await shown.should_be("run-similarity-running")
        assert facts(shown) == pytest.approx(by_hand(0.2), abs=0.00051)


@pytest.mark.parametrize(
    ("run_id", "sentence"),
    [("run007", "is queued: predictions appear"), ("run008", "is held: predictions appear")],
)
async def test_before_there_are_predictions_it_is_said_when_there_will_be(
    show: Show, alive: Any, run_id: str, sentence: str
) -> None:
    async with show() as shown:
        await open_run(shown, run_id, "3")
        assert sentence in " ".join(shown.text.split())


async def test_what_is_looked_at_stays_when_the_registry_changes(show: Show, alive: Any, registry: Path) -> None:
    async with show() as shown:
        await open_run(shown, "run001", "3", "comma", "j", "j", "j")
        before = shown.text
        builder = RegistryBuilder(registry)
        builder.database.execute("UPDATE runs SET note = 'seen' WHERE id = 'run001'")
        builder.database.close()
        await shown.look()
        assert shown.text == before


async def test_in_ascii_the_cloud_is_ascii(show: Show, alive: Any) -> None:
    async with show(ascii_only=True) as shown:
        await open_run(shown, "run001", "3")
        assert shown.text.isascii()
        await shown.should_be("run-similarity-ascii")
