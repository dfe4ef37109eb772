"""Every store keeps the same promises, and says in our words what went wrong in its own."""
