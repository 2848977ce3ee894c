"""How Kept talks to machines. No business word lives here."""
