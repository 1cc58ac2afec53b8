"""Reports of letters that came back: bytes in, a judged report out. Nothing here knows the record."""
