"""What is learned: referentials, their items, their links. Knows nothing of LTI."""
