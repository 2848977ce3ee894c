"""Who is asking, what may they see, what have they configured."""
