"""What people write: documents, how they are loaded, patched, inherited and checked."""
