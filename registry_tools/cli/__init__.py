"""Words typed in, one task called, its result printed, an exit code out."""
