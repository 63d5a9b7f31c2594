"""The styles of all widgets, parsed once for the colours of a theme.

Textual parses every style sheet anew for the first screen, and again whenever a theme is set: 40 ms of every start.
What they say does not change while the dashboard runs, but for the colours of the theme.
"""

from textual.cache import LRUCache
from textual.css.stylesheet import Stylesheet

MOST_SHEETS = 1024  # Textual keeps 64; a kind of widget has one or two


class KeptSheet(Stylesheet):
    """Parses what it has not parsed in these colours yet."""

    def __init__(self, variables: dict[str, str]):
        super().__init__(variables=variables)
        self._parse_cache = LRUCache(MOST_SHEETS)

    def set_variables(self, variables: dict[str, str]) -> None:
        """The theme's colours; where they are as before, what was parsed stays good."""
        if variables != self._variables:
            super().set_variables(variables)
            self._rules_map, self._require_parse = None, True

    def reparse(self) -> None:
        """Bring the rules up to date."""
        if self._require_parse:
            self.parse()
