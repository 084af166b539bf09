"""How an activation is declared and evaluated, by whatever library its arrays are of."""
