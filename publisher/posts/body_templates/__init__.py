"""Templates in bodies: Liquid is run as Jekyll and Eleventy do, with the site's data, includes and links.

Nothing else can be reached, all that is run is bounded, and what is not known stays as it is written. Begin with
liquid_bodies.

Public modules:
    liquid_bodies  Liquid in a body
    site_values    what templates can ask of their site
"""

__all__ = ["liquid_bodies", "site_values"]
