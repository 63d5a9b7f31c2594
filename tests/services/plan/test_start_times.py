"""When a run may start, from what people type."""

from datetime import UTC, datetime

import pytest

from bertmt.errors import UsageError
from bertmt.services.start_times import parse_start

NOW = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)


def parsed(text: str) -> datetime:
    return datetime.fromisoformat(parse_start(text, NOW))


@pytest.mark.parametrize(
    ("text", "hours"), [("+2h30m", 2.5), ("+45m", 0.75), ("+1d", 24), ("+1d2h3m", 26.05), (" +2h ", 2)]
)
def test_a_time_from_now_is_added_to_it(text: str, hours: float) -> None:
    assert (parsed(text) - NOW).total_seconds() == pytest.approx(3600 * hours)


@pytest.mark.parametrize(("clock", "day"), [("23:59", 24), ("00:01", 25)])
def test_a_clock_time_is_the_next_one_here(clock: str, day: int) -> None:
    here = NOW.astimezone()
    found = parsed(clock).astimezone()
    assert found.strftime("%H:%M") == clock and found > here
    assert found.day == day or here.utcoffset(), "in UTC the day is known"


def test_a_date_without_a_zone_is_meant_here_and_one_with_a_zone_there() -> None:
    assert parsed("2026-12-01 08:00") == datetime(2026, 12, 1, 8).astimezone()
    assert parsed("2026-12-01T08:00+02:00") == datetime(2026, 12, 1, 6, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "soon", "25:00", "+", "+h", "2h", "2026-13-01", "12:61"])
def test_what_is_no_time_is_a_sentence_with_examples(text: str) -> None:
    with pytest.raises(UsageError, match=r"22:00.*\+2h30m"):
        parse_start(text, NOW)


def test_a_time_in_the_past_is_refused_with_the_time_it_is() -> None:
    with pytest.raises(UsageError, match="lies in the past"):
        parse_start("2026-11-24 00:00+00:00", NOW)
