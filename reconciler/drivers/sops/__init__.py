"""The format of sops: values encrypted one by one, the file's key for each reader, a checksum."""
