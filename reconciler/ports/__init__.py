"""What a kind may ask of the world: Protocols and the plain data that crosses them."""
