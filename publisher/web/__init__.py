"""The door for browsers. `serve` listens, `guard` says who may ask; each application has a folder of its own."""
