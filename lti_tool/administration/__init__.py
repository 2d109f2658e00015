"""What an administrator does to platforms as a whole: replace one by another, remove one."""
