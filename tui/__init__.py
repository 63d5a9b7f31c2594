"""The dashboard: what `bertmt-tui` shows. It draws and asks; every verb is a service of `bertmt`."""
