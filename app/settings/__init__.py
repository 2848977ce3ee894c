"""What a merchant sets: team, keys, providers, business settings, and the record of who changed what."""
