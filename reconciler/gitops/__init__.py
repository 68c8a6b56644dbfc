"""Git: where the desired state comes from and where every event is written. The only place for git."""
