"""Publications in, the same publications out, for everybody and for good: stores, the log, and what stands in it."""
