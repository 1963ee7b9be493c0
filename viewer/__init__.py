"""The reader: opens studies, shows them, keeps what the reader decides."""
