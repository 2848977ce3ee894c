"""OAuth 2.0: tokens for machines."""
