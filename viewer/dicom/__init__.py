"""Files -> studies -> arrays. No Qt, no torch."""
