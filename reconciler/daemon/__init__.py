"""The loop: wakes are many, looks are few. It is handed callables and knows no git and no host."""
