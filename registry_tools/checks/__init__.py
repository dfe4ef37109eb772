"""Values in, verdicts out: pure judgement, without input or output, without a clock."""
