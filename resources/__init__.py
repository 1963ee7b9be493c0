"""What the program shows before it has a study of its own: synthetic samples, made in code."""
