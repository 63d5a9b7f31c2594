"""A search and the recipes that it tried, as frozen records."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Search:
    """A search for the best recipe of a space.

    Attributes:
        plan: what was asked for, JSON.
        runs: how many recipes are tried; None: the budget is to tell.
        held_out: task to the fingerprint and the mask of dev, JSON; None: not drawn yet.
        ended_at: None: it goes on.
        outcome: why it ended, a sentence.
    """

    key: int
    name: str
    plan: str
    runs: int | None
    held_out: str | None
    created_at: str
    ended_at: str | None
    outcome: str


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A recipe that a search tried.

    Attributes:
        search: the key of the search.
        number: from 1.
        run: the id of its run, which may have been deleted since.
        settings_json: the searched settings to their values.
        rung: how far it was let go.
    """

    search: int
    number: int
    run: str
    settings_json: str
    rung: int

    @property
    def settings(self) -> Mapping[str, Any]:
        """The searched settings to their values."""
        found: Mapping[str, Any] = json.loads(self.settings_json)
        return found
