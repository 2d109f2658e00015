"""What is taken away, and pictures."""
