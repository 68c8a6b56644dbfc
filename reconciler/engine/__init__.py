"""The engine: looks at the world through ports, and is the only one that changes it."""
