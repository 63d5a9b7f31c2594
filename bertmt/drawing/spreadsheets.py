"""Texts that spreadsheets show, and do not run."""

# With one of these at its beginning a text is a formula (owasp.org, "CSV injection"); Excel takes the wide ones too.
FORMULAS = ("=", "+", "-", "@", "|", "%", "＝", "＋", "－", "＠")


def spreadsheet_text(shown: str) -> str:
    """A text that is safe for a screen, with an apostrophe before what would be a formula."""
    return f"'{shown}" if shown.lstrip().startswith(FORMULAS) else shown
