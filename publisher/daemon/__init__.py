"""`publisher run`: one process that serves the web application, makes and sends what is due, and keeps the site built.

Everything that takes time has a thread of its own, and none of them holds state between two calls: what is due, made
and sent is in the database, so the process may be killed at any moment, and several hosts may run the same project.
What a job does is decided in publishing/; here it is only called at the right time and logged. Begin reading with
process.py, the life of the process from start to shutdown.

    process       starts the threads, waits for signals and changes, shuts down in order
    web_thread    the web application, replaced when the configuration changes
    scheduler     calls the jobs every so many seconds; the only user of APScheduler
    jobs          making editions, and sending them; a failure ends neither
    site_builder  builds the site when something has changed
    file_watcher  notices changed files; the only user of watchfiles
    reporting     logs a problem once, however often it is found
    lock          one process per folder
    systemd       what systemd expects of a service

Public modules: lock, process, web_thread.
"""

__all__ = ["lock", "process", "web_thread"]
