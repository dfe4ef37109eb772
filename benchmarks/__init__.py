"""The speeds that were promised, measured side by side with what else one would run."""
