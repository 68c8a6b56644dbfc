"""Virtualization hosts through libvirt: `test:///` in memory, `qemu:///` on this machine."""
