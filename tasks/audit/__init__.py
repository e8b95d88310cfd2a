"""The proof that the log is whole, that the state agrees with it, and that heads kept elsewhere are still in it."""
