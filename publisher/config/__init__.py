"""publisher.toml and PUBLISHER_* variables -> one frozen Config; every mistake is reported at once."""

from publisher.config.environment import CONFIG_FILE
from publisher.config.keys import Config, Database
from publisher.config.letters import Delivering, Mail, NewsletterConfig
from publisher.config.load import find_project, load_config
from publisher.config.mail import Dkim, Relay, Smtp
from publisher.config.run import Run
from publisher.config.schedule import Schedule, ScheduleKind, parse_schedule
from publisher.config.site import Feeds, Pages, Person, Posts, Site
from publisher.config.web import Web

__all__ = [
    "CONFIG_FILE",
    "Config",
    "Database",
    "Delivering",
    "Dkim",
    "Feeds",
    "Mail",
    "NewsletterConfig",
    "Pages",
    "Person",
    "Posts",
    "Relay",
    "Run",
    "Schedule",
    "ScheduleKind",
    "Site",
    "Smtp",
    "Web",
    "find_project",
    "load_config",
    "parse_schedule",
]
