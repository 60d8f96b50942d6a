"""Who may come in, when and by what; who consented to what; the sealed templates: all that is kept.

`Store` opens both files and holds the parts; each part is a module of this package, a table or
two, and can be read alone.

What changes with this file: whoever imports from the store.
"""

from terminal.store.batch import Batch
from terminal.store.cards import Card
from terminal.store.faces import MAX_REFERENCES
from terminal.store.groups import GroupFacts
from terminal.store.pass_keys import PassKeys
from terminal.store.passes import IssuedPass, Pass, PassKind
from terminal.store.people import NAME_BYTES, Details, Kind, PanelNumber
from terminal.store.settings import FreePassage, Lockdown
from terminal.store.store import Counts, KnownCard, Person, Store

__all__ = [
    "MAX_REFERENCES",
    "NAME_BYTES",
    "Batch",
    "Card",
    "Counts",
    "Details",
    "FreePassage",
    "GroupFacts",
    "IssuedPass",
    "Kind",
    "KnownCard",
    "Lockdown",
    "PanelNumber",
    "Pass",
    "PassKeys",
    "PassKind",
    "Person",
    "Store",
]
