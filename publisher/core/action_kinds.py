"""The kinds of actions in the log of actions: what people do by buttons and commands, and logins."""

from __future__ import annotations

from enum import StrEnum


class ActionKind(StrEnum):
    """The kind of an action. The database stores these words, and people read them."""

    LOGIN = "logged in"
    LOGIN_FAILED = "failed to log in"
    LOGOUT = "logged out"
    SESSIONS_ENDED = "ended all sessions"
    PASSWORD_SET = "set the password"  # noqa: S105 - not a password
    FACTOR_ON = "turned the second factor on"
    FACTOR_OFF = "turned the second factor off"
    HOST_CONFIRMED = "allowed a host to send"
    HOST_FORGOTTEN = "forbade a host to send"
    ACCEPTED_OLDER = "accepted an older database"
    APPROVE = "approved"
    SKIP = "skipped"
    HOLD = "put on hold"
    RESUME = "resumed"
    RETRY = "retried messages"
    ADD_DELIVERIES = "sent an edition to more people"
    CANCEL = "cancelled messages"
    PUBLISH = "published"
    ADD = "added a subscriber"
    UNSUBSCRIBE = "unsubscribed a subscriber"
    ERASE = "deleted a subscriber's data"
    SUPPRESS = "suppressed an address"
    LIFT = "lifted a suppression"
    IMPORT = "imported a file"
    UNDO_IMPORT = "took an import back"
    EDIT = "changed a subscriber"
    TAG = "tagged subscribers"
    ASK_AGAIN = "asked for a confirmation again"
    UNSUBSCRIBE_MANY = "unsubscribed many subscribers"
    SUPPRESS_MANY = "suppressed many addresses"
    ERASE_MANY = "deleted the data of many subscribers"
    SEGMENT_SAVED = "saved a segment"
    SEGMENT_RENAMED = "renamed a segment"
    SEGMENT_DELETED = "deleted a segment"
    EXPORT = "exported subscribers"
    TIDY = "deleted unconfirmed subscribers"
    RENAME = "renamed a newsletter"


class Via(StrEnum):
    """The way in which something was done."""

    PAGE = "admin page"
    LINK = "link in an email"
    COMMAND = "command line"


ON_A_PERSON = frozenset(
    {
        *(ActionKind.ADD, ActionKind.UNSUBSCRIBE, ActionKind.ERASE, ActionKind.SUPPRESS, ActionKind.LIFT),
        *(ActionKind.EDIT, ActionKind.ASK_AGAIN),
    }
)
