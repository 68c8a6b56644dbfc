"""From documents to desired resources. Pure: the same documents always give the same resources."""
