"""The dashboard's own themes, and what the styles of `bertmt.drawing` look like in dark, light and ANSI ones.

The colours of series are those of Okabe and Ito ("Color Universal Design", 2008), which people with any form of colour
blindness tell apart, lightened or darkened until each has a contrast of at least 4.5 to the background; good and bad
are blue-green and orange, never green and red, and beside each colour stands a mark.
"""

import dataclasses
from collections.abc import Mapping

from textual.theme import BUILTIN_THEMES, Theme

DARK = "bertmt-dark"
AUTO = "auto"  # dark or light, as the terminal is
LIGHT = "bertmt-light"
# What `t` goes through; `--theme` knows Textual's own as well.
CYCLE = (DARK, LIGHT, "ansi-dark", "ansi-light")
# What people call them, on the command line and in dashboard.toml.
_SHORT = {"dark": DARK, "light": LIGHT, "ansi": "ansi-dark"}


def _ansi(name: str, dark: bool, primary: str) -> Theme:
    """Textual's theme in the terminal's own colours, with frames that can be seen."""
    own = BUILTIN_THEMES[name]
    variables = {**own.variables, "border-blurred": "ansi_bright_black", "border": primary}
    return dataclasses.replace(own, dark=dark, primary=primary, variables=variables)


# The grounds of the dark theme are nearly grey: in 256 colours bluer ones all become black, and what lies above another
# is not seen to.
THEMES = (
    Theme(
        name=DARK,
        primary="#56b4e9",
        secondary="#3a7ca5",
        accent="#f0c75e",
        warning="#e69f00",
        error="#ff8c5a",
        success="#46c7a0",
        foreground="#d8dee4",
        background="#121315",
        surface="#1b1d20",
        panel="#282b2f",
        variables={
            "footer-background": "#282b2f",
            "footer-key-foreground": "#f0c75e",
            "footer-description-foreground": "#d8dee4",
            "block-cursor-background": "#2b4a63",
            "block-cursor-foreground": "#ffffff",
            "block-cursor-text-style": "none",
            "block-cursor-blurred-background": "#34383d",
            "block-cursor-blurred-foreground": "#d8dee4",
            "border-blurred": "#4a4f55",
            "scrollbar": "#474d54",
            "scrollbar-background": "#1b1d20",
            "scrollbar-corner-color": "#1b1d20",
        },
    ),
    Theme(
        name=LIGHT,
        primary="#00629b",
        secondary="#3a7ca5",
        accent="#8a5a00",
        warning="#8a5a00",
        error="#b23c00",
        success="#00735c",
        foreground="#20262c",
        background="#fbfbf9",
        surface="#f3f3ef",
        panel="#e6e8e6",
        dark=False,
        variables={
            "footer-background": "#e6e8e6",
            "footer-key-foreground": "#00629b",
            "footer-description-foreground": "#20262c",
            "block-cursor-background": "#bcd9ee",
            "block-cursor-foreground": "#101418",
            "block-cursor-text-style": "none",
            "block-cursor-blurred-background": "#dde6ec",
            "block-cursor-blurred-foreground": "#20262c",
            "border-blurred": "#c9cfd3",
            "scrollbar": "#b9c2c9",
            "scrollbar-background": "#f3f3ef",
            "scrollbar-corner-color": "#f3f3ef",
        },
    ),
    # Textual's own have frames in the colour of the ground, and blue on black.
    _ansi("ansi-dark", dark=True, primary="ansi_bright_cyan"),
    _ansi("ansi-light", dark=False, primary="ansi_blue"),
)

_DARK = {
    "": "", "dim": "#8b98a5", "title": "bold", "axis": "#768390", "good": "#46c7a0", "bad": "#ff8c5a",
    "faint": "#4d555d", "grid": "#34393f", "cursor": "bold #101418 on #f0c75e",
    "mark": "bold #f0c75e", "accent": "#f0c75e",
    "series0": "#56b4e9", "series1": "#e69f00", "series2": "#46c7a0", "series3": "#e08cc0",
    "series4": "#f0e442", "series5": "#ff8c5a", "series6": "#9da6ff", "series7": "#d8dee4",
    "shade0": "", "shade1": "#d8dee4 on #17344a", "shade2": "#ffffff on #1d4a6d", "shade3": "#ffffff on #226090",
    "shade4": "bold #ffffff on #2674ae",
}  # fmt: skip
_LIGHT = {
    "": "", "dim": "#5b6670", "title": "bold", "axis": "#6a757f", "good": "#00735c", "bad": "#b23c00",
    "faint": "#bcc5cc", "grid": "#dcdfe1", "cursor": "bold #ffffff on #8a5a00",
    "mark": "bold #8a5a00", "accent": "#8a5a00",
    "series0": "#00629b", "series1": "#9a5f00", "series2": "#00735c", "series3": "#994a80",
    "series4": "#6f6a00", "series5": "#b23c00", "series6": "#4d55c4", "series7": "#20262c",
    "shade0": "", "shade1": "#101418 on #d9e8f3", "shade2": "#101418 on #b3d2ea", "shade3": "#101418 on #86b9de",
    "shade4": "bold #ffffff on #1f6fa8",
}  # fmt: skip
# The terminal's own colours, whose looks are its user's choice; yellow on white and blue on black are hard to read.
_ANSI = {
    "": "", "dim": "dim", "title": "bold", "axis": "dim", "good": "cyan", "bad": "red",
    "faint": "bright_black", "grid": "bright_black", "cursor": "bold reverse", "mark": "bold", "accent": "bold",
    "series0": "cyan", "series1": "red", "series2": "green", "series3": "magenta",
    "series4": "bold cyan", "series5": "bold red", "series6": "bold magenta", "series7": "bold",
    "shade0": "", "shade1": "underline", "shade2": "bold underline", "shade3": "reverse", "shade4": "bold reverse",
}  # fmt: skip


def palette_of(dark: bool, ansi: bool) -> Mapping[str, str]:
    """Style names of `bertmt.drawing` to rich's style definitions."""
    if ansi:
        return _ANSI
    return _DARK if dark else _LIGHT


def theme_on(light: bool, has_few_colours: bool) -> str:
    """The theme for a terminal whose ground is light, or dark; with 8 or 16 colours, in those of the terminal."""
    return (CYCLE[3] if light else CYCLE[2]) if has_few_colours else LIGHT if light else DARK


def full_name(name: str) -> str:
    """The name of a theme by its short one, such as `light`; any other as it is."""
    return _SHORT.get(name, name)
