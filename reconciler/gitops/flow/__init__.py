"""Ways of commits between branches: proposals, promotion, releases, rollback, and the way back."""
