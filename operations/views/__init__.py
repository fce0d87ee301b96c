"""What one page of the coordinators' web shows, put together from SQL for one reader."""
