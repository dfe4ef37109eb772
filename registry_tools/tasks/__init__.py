"""What people ask for, one file a verb: the only place where the rooms meet. Tasks return values and print nothing."""
