"""What README says, run."""
