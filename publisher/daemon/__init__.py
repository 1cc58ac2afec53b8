"""One process that does everything: the web application, the clock, delivery, and the files that change.

process.py    its life: from listening to leaving
front.py      the web application in its thread; exchanged when the configuration changes
ticking.py    making and sending, each in its thread and told in lines; a failure ends nothing
site.py       the site is built when something changed
watching.py   files that change
telling.py    trouble in lines, once; clearing up
lock.py       one process a folder
system.py     what systemd wants to hear
"""
