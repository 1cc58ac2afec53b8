"""`publisher run`: a process that serves the web application, makes and sends editions, and keeps the site up to date.

Each long-running task has its own thread. No thread keeps state between two calls: the database records which editions
are due, made and sent. The process may therefore be killed at any moment, and several hosts may run the same project.
The work itself is defined in publishing/; this package only calls it at the right time and logs the results. Start
reading in process.py, which covers the process from start to shutdown.

Public modules:
    process       starts the threads, waits for signals and changes, shuts down in order
    web_thread    the web application, replaced when the configuration changes
    lock          allows only one process per project folder

Other modules:
    scheduler     calls the jobs at a fixed interval; the only user of APScheduler
    jobs          make editions and send them; a failure does not stop either
    site_builder  builds the site after a change
    file_watcher  notices changed files; the only user of watchfiles
    reporting     logs each problem only once, however often it occurs
    systemd       sends the notifications that systemd expects of a service
"""

__all__ = ["lock", "process", "web_thread"]
