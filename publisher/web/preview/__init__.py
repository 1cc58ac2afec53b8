"""The preview, which shows authors the emails, the site and the feeds in a browser as they would be published now.

It changes nothing, and only listens on the local computer. `live_project` watches the files and keeps the newest
`snapshot`, which composes emails on demand; `site_preview` generates files of the site in the same way. `routes`
contains the URLs and handlers, `preview_pages` renders templates/preview, and `view_options` reads the display options
in a URL, such as width and colour scheme.

Public modules:
    live_project  the current state of the project's files
    routes        the preview application
"""

__all__ = ["live_project", "routes"]
