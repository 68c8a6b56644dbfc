"""Zone documents become zones: who has which name, where it stands, and who may write it there."""
