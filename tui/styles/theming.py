"""The theme of the app: what it begins with, what the terminal answers, and the key that goes on to the next."""

import os

from textual.app import App

from bertmt.errors import UsageError
from tui.bindings import bound
from tui.settings import Settings
from tui.styles.style_sheet import KeptSheet
from tui.styles.themes import AUTO, CYCLE, DARK, THEMES, full_name, theme_on
from tui.terminal.ground import QUESTION, GroundReported, is_light_by_environment
from tui.typed_ahead import TypedAhead


class Themed(TypedAhead):
    """An app with themes of its own, one of which follows the terminal.

    Attributes:
        settings: with the theme that was chosen last.
        has_few_colours: 8 or 16, as with TERM=xterm: of ours, a text and its ground may come to be one.
    """

    settings: Settings
    has_few_colours = False
    _first_theme = ""
    _follows_terminal = False

    def know_themes(self) -> None:
        """Make ours known, with a style sheet that is kept between starts."""
        for theme in THEMES:
            self.register_theme(theme)
        self.stylesheet = KeptSheet(self.get_css_variables())

    def change(self, **choices: object) -> None:
        """Keep a choice of the user's."""
        raise NotImplementedError

    def begin_with_theme(self, name: str) -> None:
        """Begin with a theme, which is not kept.

        Raises:
            UsageError: there is none of that name.
        """
        if full_name(name) not in (AUTO, *self.available_themes):
            raise UsageError(
                "--theme expects auto, dark, light, ansi-dark, ansi-light or another of Textual's themes, "
                f"but found {name!r}."
            )
        self._first_theme = full_name(name)

    def on_load(self) -> None:
        """Before anything is styled: setting a theme styles everything again."""
        theme = self._theme_to_begin_with()
        self.set_reactive(App.theme, theme)
        is_dark = self.current_theme.dark
        # What Textual does where a theme is set.
        self.update_classes({f"-theme-{theme}": True, "-dark-mode": is_dark, "-light-mode": not is_dark}, update=False)
        self._refresh_truecolor_filter(self.ansi_theme)
        self.stylesheet.set_variables(self.get_css_variables())

    def _theme_to_begin_with(self) -> str:
        """The theme of the command line, else of the settings; where that is `auto`, what suits the terminal."""
        wanted = self._first_theme or full_name(self.settings.theme)
        self._follows_terminal = wanted == AUTO
        if self._follows_terminal:
            return theme_on(bool(is_light_by_environment(os.environ)), self.has_few_colours)
        if self.has_few_colours and not (self._first_theme or wanted.startswith("ansi")):
            return theme_on(False, True)
        return wanted if wanted in self.available_themes else DARK

    def ask_terminal(self) -> None:
        """Ask it for its background, where the theme follows that."""
        if self._follows_terminal and self._driver is not None and not self._driver.is_headless:
            self._driver.write(QUESTION)

    def on_ground_reported(self, message: GroundReported) -> None:
        if self._follows_terminal:
            self.theme = theme_on(message.is_light, self.has_few_colours)

    def action_next_theme(self) -> None:
        """The next of the four themes."""
        place = CYCLE.index(self.theme) + 1 if self.theme in CYCLE else 0
        self.theme, self._follows_terminal = CYCLE[place % len(CYCLE)], False
        self.change(theme=self.theme)
        self.notify(
            f"Theme {self.theme}; {bound('app.theme')} switches to the next."
            + " NO_COLOR leaves out its colours." * self.no_color
        )
