"""How the dashboard looks: themes, and the style sheet with its reading."""
