"""What is served over HTTP: webhooks, which only wake the loop, and whether the loop is well."""
