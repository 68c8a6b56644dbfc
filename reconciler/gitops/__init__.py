"""Git: where the desired state comes from and where events are written. The only place for git."""
