"""The activations, a file for each family: here one is added."""
