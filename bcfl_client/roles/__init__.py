"""What each participant does, as a loop over a task's phases."""
