"""The product's own publishers and readers on a store that fails in every way we know of: one seed is one history."""
