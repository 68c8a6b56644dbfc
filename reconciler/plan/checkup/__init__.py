"""What is wrong with the ground that everything stands on: settings, repository, hosts."""
