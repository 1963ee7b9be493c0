"""How fast the reading room is: `python main.py bench viewer` runs all of it."""
