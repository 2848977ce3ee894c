"""People at the door: sign up, log in, invitations, the first steps."""
