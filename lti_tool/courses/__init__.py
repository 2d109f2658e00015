"""Where we are: course, people, roster, and the session that a launch opens."""
