"""How long runs trained, by step, and how fast they are: what their events say of time."""
