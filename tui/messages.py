"""What happened, told to the screens; each name is in the past tense."""

from textual.message import Message


class RegistryChanged(Message):
    """Something in the registry is not as it was when the screen read it."""
