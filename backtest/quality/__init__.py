"""The data-quality report over price files, and its named repairs."""
