"""What happens later, and when. No rule of its own."""
