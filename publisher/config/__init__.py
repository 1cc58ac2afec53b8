"""publisher.toml and PUBLISHER_* variables become one frozen Config, or a report of every mistake at once.

Each table of the file is a frozen dataclass whose fields carry their default, their checks and their meaning (keys.py
says how). load.py reads the file, environment.py overlays the variables, mistakes.py validates the result and names
each mistake with its line. Nothing here opens what a setting names: that a server answers or a folder exists is for
others to find out. To add a setting, add a field to its table; docs/configuration.md is generated from it. Begin
reading with project.py, which has the whole Config.

Public modules:
    mail        servers, rates, domains: what [mail] says, as values
    origins     the line of a key in a TOML text
    schedule    what a schedule or a duration says, as values
    theme       colours and whether they can be read
"""

from publisher.config.environment import CONFIG_FILE
from publisher.config.load import find_project, load_config
from publisher.config.mail import Dkim, Mail, Relay, Smtp
from publisher.config.newsletters import NewsletterConfig
from publisher.config.project import Config
from publisher.config.schedule import Schedule, ScheduleKind, parse_schedule
from publisher.config.site import Feeds, PagesConfig, Person, Posts, Site
from publisher.config.theme import Theme

__all__ = [
    "CONFIG_FILE",
    "Config",
    "Dkim",
    "Feeds",
    "Mail",
    "NewsletterConfig",
    "PagesConfig",
    "Person",
    "Posts",
    "Relay",
    "Schedule",
    "ScheduleKind",
    "Site",
    "Smtp",
    "Theme",
    "find_project",
    "load_config",
    "mail",
    "origins",
    "parse_schedule",
    "schedule",
    "theme",
]
