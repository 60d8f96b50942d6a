"""The ways in which the terminal itself fails: three kinds and no fourth.

*Refuse to start*: what is configured or installed can't be run safely. *Degraded*: one part is
out of use, the rest goes on and says so. *Secure and restart*: the door goes to rest and the
process ends, for systemd to start it again. Every message is one sentence for a person (what,
where, what to do) and never holds a name, a card number, a template or a comparison score.

What changes with this file: whoever raises these, and the composition root that ends with them.
"""

from __future__ import annotations

DONE, FAILED, REFUSED = 0, 1, 78
"""Exit statuses of the processes; 78 (EX_CONFIG) tells systemd that starting anew mends nothing."""


class TerminalError(Exception):
    """Something is wrong; the text is one sentence for a person."""


class RefuseToStart(TerminalError):  # noqa: N818 - says what follows
    """The terminal must not run like this; a restart alone mends nothing."""


class ConfigError(RefuseToStart):
    """The configuration file can't be used; the text names the file, and the line where it can."""


class Degraded(TerminalError):  # noqa: N818 - says what follows
    """One part is out of use and the rest goes on."""


class StoreFailed(Degraded):
    """A database could not be read or written; what was asked for has not happened."""


class SealBroken(Degraded):
    """Something sealed does not open: it was changed, moved, or sealed with another key."""


class NotDone(Degraded):
    """What was asked for is not possible as things stand, and nothing has changed."""


class SecureAndRestart(TerminalError):  # noqa: N818 - says what follows
    """The door can't be left to this process any longer."""


class AuditFailed(SecureAndRestart):
    """A record could not be made durable, so nothing that it records may happen."""


class LinkBroken(Degraded):
    """The other process is gone, does not keep up, or does not speak the language of the link."""
