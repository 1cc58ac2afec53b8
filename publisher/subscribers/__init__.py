"""People: their addresses, what they read, and how they come in and out of the record."""
