"""The tables of `identity.db`: people, groups, schedules, cards, PINs, passes, settings.

Each tuple is one migration, in the order in which they came; one that is out there is never
changed, a new one comes behind it. What must never be is refused by the tables themselves,
whoever writes to them: a pass used more often than it says, or given back a use (A10, T17), a
pass turned into somebody else's, a group whose schedule is gone. Names, flats and numbers of a
panel are sealed; of a card, a PIN and a key there is only what tells nothing without the device.

What changes with this file: `terminal.schema` (which applies it), `terminal.store`, docs/schema.md,
and every file already out there.
"""

from __future__ import annotations

_PEOPLE_AND_CARDS = (
    """
    CREATE TABLE device (
        only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
        device TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE person (
        person TEXT PRIMARY KEY CHECK (length(person) BETWEEN 1 AND 64),
        sealed_name BLOB NOT NULL,
        valid_from TEXT,
        valid_until TEXT,
        created_utc TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE card (
        card TEXT PRIMARY KEY
            CHECK (length(card) = 64 AND card NOT GLOB '*[^0-9a-f]*'),
        person TEXT NOT NULL REFERENCES person (person) ON DELETE CASCADE,
        bound_utc TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX card_person ON card (person)",
)

_SCHEDULES = (
    # A week is JSON, seven lists of [begin, end] minutes; terminal/store/weeks.py says which form
    # and takes no other. (SQLite's functions of JSON may not stand in a table that nobody trusts.)
    """
    CREATE TABLE schedule (
        name TEXT PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 40),
        week TEXT NOT NULL CHECK (length(week) <= 10000
            AND week GLOB '[[][[]*]]' AND week NOT GLOB '*[^][0-9,]*'),
        on_holidays TEXT CHECK (length(on_holidays) <= 2000
            AND on_holidays GLOB '[[]*]' AND on_holidays NOT GLOB '*[^][0-9,]*')
    ) STRICT
    """,
    """
    CREATE TABLE holiday (
        day TEXT PRIMARY KEY CHECK (length(day) = 10 AND date(day, '+0 days') IS day),
        name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 80)
    ) STRICT
    """,
    """
    CREATE TABLE holder_group (
        name TEXT PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 40 AND name <> 'everyone'),
        rule TEXT NOT NULL
            CHECK (rule IN ('any', 'card', 'qr', 'card_pin', 'qr_pin', 'card_face')),
        schedule TEXT REFERENCES schedule (name),
        passback TEXT NOT NULL CHECK (passback IN ('off', 'soft', 'hard', 'timed')),
        passback_s REAL NOT NULL CHECK (passback_s BETWEEN 0 AND 604800),
        passes_lockdown INTEGER NOT NULL CHECK (passes_lockdown IN (0, 1)),
        CHECK ((passback = 'timed') = (passback_s > 0))
    ) STRICT
    """,
    "CREATE INDEX group_schedule ON holder_group (schedule)",
    # Foreign keys hold only for whoever asks SQLite for them; triggers hold for everyone.
    """
    CREATE TRIGGER schedule_is_used BEFORE DELETE ON schedule
    WHEN EXISTS (SELECT 1 FROM holder_group WHERE schedule = OLD.name)
    BEGIN SELECT RAISE(ABORT, 'a schedule that a group goes by stays'); END
    """,
)

_MORE_OF_A_PERSON = (
    "ALTER TABLE person ADD COLUMN group_name TEXT REFERENCES holder_group (name)",
    "ALTER TABLE person ADD COLUMN kind TEXT NOT NULL DEFAULT 'resident'"
    " CHECK (kind IN ('resident', 'visitor', 'staff'))",
    "ALTER TABLE person ADD COLUMN host TEXT REFERENCES person (person) ON DELETE SET NULL"
    " CHECK (host IS NULL OR (kind = 'visitor' AND host <> person))",
    "ALTER TABLE person ADD COLUMN sealed_flat BLOB",
    "ALTER TABLE person ADD COLUMN sealed_panel BLOB",
    "CREATE INDEX person_group ON person (group_name)",
    "CREATE INDEX person_host ON person (host)",
    """
    CREATE TRIGGER group_is_used BEFORE DELETE ON holder_group
    WHEN EXISTS (SELECT 1 FROM person WHERE group_name = OLD.name)
    BEGIN SELECT RAISE(ABORT, 'a group with people in it stays'); END
    """,
    # All cards so far came from a keyboard-wedge reader: they are known by a number alone.
    "ALTER TABLE card ADD COLUMN is_weak INTEGER NOT NULL DEFAULT 1 CHECK (is_weak IN (0, 1))",
    # Failures are counted for people without a PIN as well: to try takes the same work for all.
    """
    CREATE TABLE pin (
        person TEXT PRIMARY KEY REFERENCES person (person) ON DELETE CASCADE,
        salt BLOB CHECK (length(salt) = 16),
        verifier BLOB CHECK (length(verifier) = 32),
        set_utc TEXT,
        failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
        CHECK ((salt IS NULL) = (verifier IS NULL) AND (salt IS NULL) = (set_utc IS NULL))
    ) STRICT
    """,
    """
    CREATE TABLE whereabouts (
        person TEXT PRIMARY KEY REFERENCES person (person) ON DELETE CASCADE,
        side TEXT NOT NULL CHECK (side IN ('out', 'in')),
        since_utc TEXT NOT NULL
    ) STRICT
    """,
)

_PASSES = (
    """
    CREATE TABLE pass_key (
        key_id TEXT PRIMARY KEY CHECK (length(key_id) BETWEEN 1 AND 64),
        sealed_public BLOB NOT NULL,
        sealed_private BLOB,
        made_utc TEXT NOT NULL,
        retired_utc TEXT,
        accept_until_utc TEXT,
        CHECK ((retired_utc IS NULL) = (sealed_private IS NOT NULL)),
        CHECK ((retired_utc IS NULL) = (accept_until_utc IS NULL))
    ) STRICT
    """,
    "CREATE UNIQUE INDEX one_pass_key ON pass_key (retired_utc IS NULL) WHERE retired_utc IS NULL",
    """
    CREATE TABLE pass (
        pass_id TEXT PRIMARY KEY
            CHECK (length(pass_id) = 16 AND pass_id NOT GLOB '*[^0-9a-f]*'),
        person TEXT NOT NULL REFERENCES person (person) ON DELETE CASCADE,
        kind TEXT NOT NULL CHECK (kind IN ('resident', 'static', 'visitor', 'once')),
        valid_from TEXT NOT NULL,
        valid_until TEXT NOT NULL,
        uses INTEGER NOT NULL CHECK (uses BETWEEN 0 AND 10000),
        rotates INTEGER NOT NULL CHECK (rotates IN (0, 1)),
        needs_pin INTEGER NOT NULL CHECK (needs_pin IN (0, 1)),
        is_marked INTEGER NOT NULL CHECK (is_marked IN (0, 1)),
        key_id TEXT NOT NULL REFERENCES pass_key (key_id),
        host TEXT REFERENCES person (person) ON DELETE SET NULL,
        issued_utc TEXT NOT NULL,
        used INTEGER NOT NULL DEFAULT 0 CHECK (used >= 0),
        last_step INTEGER CHECK (last_step >= 0),
        revoked_utc TEXT,
        CHECK (used <= uses OR uses = 0),
        CHECK (kind <> 'once' OR uses = 1),
        CHECK (last_step IS NULL OR rotates = 1),
        CHECK (valid_from < valid_until)
    ) STRICT
    """,
    "CREATE INDEX pass_person ON pass (person)",
    "CREATE INDEX pass_host ON pass (host)",
    """
    CREATE TRIGGER pass_use_stays BEFORE UPDATE ON pass
    WHEN NEW.used < OLD.used OR coalesce(NEW.last_step, -1) < coalesce(OLD.last_step, -1)
        OR (OLD.revoked_utc IS NOT NULL AND NEW.revoked_utc IS NOT OLD.revoked_utc)
    BEGIN SELECT RAISE(ABORT, 'a pass is not given back a use, nor made good again'); END
    """,
    """
    CREATE TRIGGER pass_stays BEFORE UPDATE OF pass_id, person, kind, valid_from, valid_until,
        uses, rotates, needs_pin, is_marked, key_id, issued_utc ON pass
    BEGIN SELECT RAISE(ABORT, 'a pass stays what was issued'); END
    """,
)

_SETTINGS = (
    """
    CREATE TABLE setting (
        name TEXT PRIMARY KEY CHECK (name IN ('lockdown', 'free_passage')),
        value TEXT NOT NULL CHECK (length(value) <= 2000 AND value GLOB '{*}'),
        changed_utc TEXT NOT NULL
    ) STRICT
    """,
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    _PEOPLE_AND_CARDS,
    (*_SCHEDULES, *_MORE_OF_A_PERSON, *_PASSES, *_SETTINGS),
)
"""All of them, the oldest first."""
