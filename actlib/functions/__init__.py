"""The activations, a file for each family: new ones go here."""
