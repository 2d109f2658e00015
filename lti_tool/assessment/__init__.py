"""What was seen: entries in the grid, and what they add up to. `mastery` is pure."""
