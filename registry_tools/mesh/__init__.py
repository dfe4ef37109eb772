"""The vocabulary: frozen values that rooms hand to each other, without input or output."""
