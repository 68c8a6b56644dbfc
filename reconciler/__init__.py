"""GitOps for self-hosted virtualization farms."""
