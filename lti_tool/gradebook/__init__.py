"""What goes back: columns, scores written with the assessment, and the worker that delivers them."""
