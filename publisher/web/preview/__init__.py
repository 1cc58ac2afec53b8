"""The preview for the person who writes: emails, the site and feeds in a browser, as they would be published now.

It changes nothing, and listens on this computer only. `live_project` watches the files and keeps the newest
`snapshot`, which composes an email when it is looked at; `site_preview` makes files of the site in the same way.
`routes` has the URLs and handlers, `preview_pages` renders templates/preview, and `view_options` are the choices in a
URL, such as width and colour scheme.

live_project  the project as its files are now
routes        the application
"""

__all__ = ["live_project", "routes"]
