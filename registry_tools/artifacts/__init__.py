"""Values in, the text of files that consumers keep out; only `files` touches the disk."""
