"""The names of this machine's users."""

import pwd


def user_name(uid: int) -> str:
    """The name of a user, or the number where the system knows none (containers)."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
