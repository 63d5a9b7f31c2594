"""Words in place of signs, bars and pictures: the dashboard as a screen reader needs it (`bertmt-tui --plain`)."""
