"""What only the book uses: its catalogue, its tables of measurements, and the theory it tells."""
