"""The configuration: turn publisher.toml and PUBLISHER_* variables into one frozen Config, or a list of all mistakes.

Each table of the file is a frozen dataclass whose fields carry their default, their checks and their meaning (see
keys.py). load.py reads the file, environment.py applies the variables, and mistakes.py validates the result and reports
each mistake with its line. Nothing here checks whether a server answers or a folder exists. To add a setting, add a
field to its table; docs/configuration.md is generated from the fields. Begin reading with project.py, which defines
the whole Config.

Public modules:
    mail        the parsed values of [mail]: servers, rates and domains
    placeholders  values that are meant to be replaced, and domains that no one can own
    private_paths  the files that are never published, and passwords in files
    origins     the line of a key in a TOML text
    schedule    parsed schedules and durations
    palette     the colours and fonts that follow from a theme
    theme       the look of the site and of emails, and whether its colours are readable
"""

from publisher.config.checks import OWN_POSTS, PERMALINK_PARTS, database_url
from publisher.config.environment import CONFIG_FILE
from publisher.config.load import find_project, load_config, mistakes_in
from publisher.config.mail import Dkim, Mail, Relay, Smtp
from publisher.config.mistakes import require_output
from publisher.config.newsletters import FieldConfig, NewsletterConfig, frequency_schedules
from publisher.config.project import Config
from publisher.config.schedule import Schedule, ScheduleKind, parse_schedule
from publisher.config.site import FEED_FILES, AuthorConfig, FeedName, Feeds, PagesConfig, Person, Posts, Site, Tool
from publisher.config.sources import ItemFilter, SourceConfig
from publisher.config.theme import Theme

__all__ = [
    "CONFIG_FILE",
    "FEED_FILES",
    "OWN_POSTS",
    "PERMALINK_PARTS",
    "AuthorConfig",
    "Config",
    "Dkim",
    "FeedName",
    "Feeds",
    "FieldConfig",
    "ItemFilter",
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
    "SourceConfig",
    "Theme",
    "Tool",
    "database_url",
    "find_project",
    "frequency_schedules",
    "load_config",
    "mail",
    "mistakes_in",
    "origins",
    "palette",
    "parse_schedule",
    "placeholders",
    "private_paths",
    "require_output",
    "schedule",
    "theme",
]
