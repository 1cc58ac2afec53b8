"""Templates in bodies: Liquid and Nunjucks are run as Jekyll, Eleventy and Hexo do, with the site's data and includes.

Templates can reach nothing else, everything that is run is bounded, and unknown tags and values stay as they are
written. Begin with liquid_bodies and nunjucks_bodies; both use site_values.

Public modules:
    eleventy_settings  what Eleventy's configuration says about templates
    liquid_bodies      Liquid in a body
    nunjucks_bodies    Nunjucks in a body
    post_fields        what templates can read from a post
    site_values        what templates can read from their site
"""

__all__ = ["eleventy_settings", "liquid_bodies", "nunjucks_bodies", "post_fields", "site_values"]
