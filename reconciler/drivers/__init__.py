"""The doors to the real and the simulated world: the only place for libvirt, fabric and dns."""
