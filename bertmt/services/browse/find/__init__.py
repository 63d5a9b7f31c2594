"""Looking for a text in all that is known of the runs."""
