"""The demo merchant: everything a newcomer sees, written or derived here."""
