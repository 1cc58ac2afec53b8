"""The door for programs: what providers of mail call by themselves."""
