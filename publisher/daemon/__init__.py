"""`publisher run`: processes that serve the web application, make and send editions, and keep the site up to date.

`publisher worker` helps it on other machines; see worker_process. In `publisher run`, the parent process has the clock
and the sender. The web application and each build have a process of their own, so that no request and no post can stop
the sending of mail: such a process may die or be killed at any time, and another takes its place. No process keeps
state that another one needs: the database records which editions are due, made and sent. The parent may therefore be
killed as well, and several hosts may run the same project. The work itself is defined in publishing/; this package only
calls it at the right time and logs the results. Start reading in process.py, which covers the parent from start to
shutdown.

Public modules:
    child_processes  starts processes through the starter, notices when they end, and kills them
    health        checks whether a process hangs, and whether it can do its work
    lock          allows only one parent per project folder
    process       starts the other processes, waits for signals and changes, shuts down in order
    reporting     logs each problem and each outage of the database only once
    systemd       sends the notifications that systemd expects from a service, and notes early requests to reload
    web_supervisor  starts the web application again when it ends, and opens new configurations
    worker_process  the process of `publisher worker`, which sends and does jobs on other machines

Other modules:
    starter       the program that forks the other processes
    web_process   the process of the web application
    build_process  the process of a build
    scheduler     calls the jobs at a fixed interval; the only user of APScheduler
    jobs          make editions and send them; a failure does not stop either
    job_queue     puts jobs into PostgreSQL and takes them from there; the only user of Procrastinate
    shared_jobs   decides which jobs a process shares with others, and which it does itself
    main_thread   waits for signals, and ends the other threads in order
    site_builder  builds the site after a change
    file_watcher  notices changed files; the only user of watchfiles
"""

__all__ = ["child_processes", "health", "lock", "process", "reporting", "systemd", "web_supervisor", "worker_process"]
