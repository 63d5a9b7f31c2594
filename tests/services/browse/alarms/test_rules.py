"""Alarms for curves that go wrong in each way, and none for those that are merely noisy."""

import random

import pytest

from bertmt.services.browse.alarms.rules import Rules, alarms


def falling(windows: int, noise: float, seed: int, floor: float = 0.4) -> list[float]:
    """Means of a loss that falls as losses do."""
    chance = random.Random(seed)
    return [floor + 1.2 * 0.93**window + chance.gauss(0, noise) for window in range(windows)]


def rules_of(losses: dict[str, list[float]], rules: Rules | None = None) -> list[str]:
    return [each.rule for each in alarms(rules or Rules(), losses)]


@pytest.mark.parametrize("noise", [0.005, 0.03, 0.1])
def test_healthy_curves_raise_no_alarm_at_any_time_however_noisy_they_are(noise: float) -> None:
    for seed in range(40):
        means = falling(100, noise, seed)
        for length in range(1, 101):
            assert not rules_of({"loss/sst": means[:length]}), (seed, length)


def test_a_loss_that_is_almost_gone_may_double() -> None:
    means = [*falling(60, 0.0, 0, floor=0.0)[:40], *[0.001, 0.0012, 0.002, 0.0025, 0.003]]
    assert not rules_of({"loss/para": means})


def test_a_loss_that_rises_again_diverges_and_the_sentence_has_the_numbers() -> None:
    means = [*falling(30, 0.01, 1), 0.9, 1.4, 1.9, 2.4]
    (alarm,) = alarms(Rules(), {"loss/sst": means})
    assert alarm.rule == "diverges" and "1.900" in alarm.sentence and "alarms.diverges" in alarm.sentence
    assert not rules_of({"loss/sst": means}, Rules(diverges=0))
    assert not rules_of({"loss/sst": means}, Rules(on=False))


def test_a_loss_below_0_is_judged_by_its_size() -> None:
    """Means of Pearson's loss of `final` on the embedded data, which ended with its best dev score; 1.5 times -0.87
    would be below all of them."""
    means = [-0.758, -0.768, -0.780, -0.808, -0.794, -0.815, -0.744, -0.810, -0.780, -0.772, -0.797, -0.840, -0.832]
    means += [-0.842, -0.804, -0.813, -0.784, -0.804, -0.871, -0.851, -0.796, -0.764, -0.776, -0.838]
    for length in range(1, len(means) + 1):
        assert not rules_of({"loss/sts": means[:length]})
    assert rules_of({"loss/sts": [*means, -0.3, -0.2]}) == ["diverges"]


def test_one_bad_window_is_no_divergence() -> None:
    assert not rules_of({"loss/sst": [*falling(30, 0.01, 1), 5.0, 0.55]})


def test_a_run_that_learns_nothing_stalls_but_not_where_one_of_its_losses_falls() -> None:
    chance = random.Random(2)
    flat = [1.6 + chance.gauss(0, 0.005) for _ in range(12)]
    assert rules_of({"loss/sst": flat}) == ["stalls"]
    assert not rules_of({"loss/sst": flat, "loss/para": falling(12, 0.02, 3)})
    assert not rules_of({"loss/sst": flat[:9]})
    assert not rules_of({"loss/sst": flat}, Rules(stalls=0))


def test_a_run_that_has_converged_does_not_stall() -> None:
    assert not rules_of({"loss/sst": falling(200, 0.02, 4)})


def test_a_run_is_behind_where_it_is_below_its_worst_sibling_twice() -> None:
    siblings = {"aaa111": {100: 0.60, 200: 0.66, 300: 0.70}, "bbb222": {100: 0.58, 200: 0.64, 300: 0.69}}

    def said(scores: dict[int, float], **changed: float) -> list[str]:
        return [each.sentence for each in alarms(Rules(**changed), {}, scores, siblings)]  # type: ignore[arg-type]

    (sentence,) = said({100: 0.5, 200: 0.56})
    assert "bbb222" in sentence and "0.560" in sentence and "0.640" in sentence
    assert not said({100: 0.5, 200: 0.62})
    assert not said({100: 0.5})
    assert not said({100: 0.5, 200: 0.56}, behind=0)
    assert not said({150: 0.1, 250: 0.1})


def test_rising_evenly_is_found_though_there_is_no_noise() -> None:
    means = [2.0 - 0.1 * window for window in range(10)] + [1.1 + 0.2 * window for window in range(6)]
    assert rules_of({"loss/sst": means}) == ["diverges"]
