"""Each rule of the house finds what it is there for, leaves the rest alone, and holds today."""

from __future__ import annotations

import pytest

from tests.tools import rules

ANYWHERE = "terminal/vision.py"


def found(source: str, path: str = ANYWHERE) -> list[str]:
    return [finding.message for finding in rules.findings_in(source, path)]


@pytest.mark.parametrize(
    "source",
    [
        "import datetime\ndatetime.datetime.now()",
        "from datetime import datetime\ndatetime.utcnow()",
        "import datetime as d\nd.date.today()",
        "import time\ntime.time()",
        "import time\nclock = time.time",
        "import time\ntime.time_ns()",
        "import time\ntime.strftime('%H')",
    ],
)
def test_wall_time_outside_the_clock_is_found(source: str) -> None:
    assert found(source)


def test_wall_time_inside_the_clock_is_its_business() -> None:
    assert not found("import time\ntime.time()", "terminal/clock.py")


def test_a_time_that_is_handed_in_is_no_wall_time() -> None:
    assert not found("def step(now):\n    return now.utc\n")


@pytest.mark.requirement("T16", "A7")
@pytest.mark.parametrize(
    "statement",
    [
        "f'SELECT * FROM {table}'",
        "'SELECT * FROM ' + table",
        "'SELECT * FROM %s' % table",
        "'SELECT * FROM {}'.format(table)",
        "' '.join(['SELECT', table])",
        "f'{verb} x' 'y'",
        "f'PRAGMA user_version = {verb}'",
        "f'PRAGMA {verb} = {table:d}'",
        "verb % table",
        "verb.format_map(table)",
        "Template('SELECT $x').substitute(x=table)",
        "('SELECT ' + table).strip()",
        "'SELECT 1' if table else f'SELECT {table}'",
        "(words := f'SELECT {table}')",
        "sql=f'SELECT {table}'",
        "statement=f'SELECT {table}'",
        "table",
        "*table",
    ],
)
def test_a_statement_that_is_put_together_is_found_everywhere(statement: str) -> None:
    assert found(f"def f(db, table, verb):\n    db.execute({statement})")


@pytest.mark.requirement("T16", "A7")
def test_a_statement_from_a_variable_is_found_where_the_database_is() -> None:
    assert found("import sqlite3\ndef f(db, words):\n    db.execute(words)")
    assert found("def f(self, words):\n    self.database.run(words)", "terminal/store/cards.py")


@pytest.mark.requirement("T16", "A7")
@pytest.mark.parametrize(
    "body",
    [
        "statement = f'SELECT {x}'\n    db.run(statement)",
        "statement += x\n    db.run(statement)",
        "for y in ('SELECT 1', x): db.run(y)",
        "for y in ('SELECT 1',):\n        y = x\n        db.run(y)",
        "for y in ('SELECT 1',): pass\n    def g(y):\n        db.run(y)",
        "db.run(statement=x)",
        "go = db.execute\n    go(x)",
        "getattr(db, x).execute",
        "helper(f'SELECT {x}')",
    ],
)
def test_what_only_looks_like_a_statement_that_is_handed_on_is_found(body: str) -> None:
    helper = "def helper(statement, base=None): return base.run(statement)"
    head = f"from terminal.schema import Database\n{helper}\n"
    assert not found(head + "helper('SELECT 1')")
    assert found(
        f"from terminal.schema import Database\n{helper}\ndef f(db, x, statement=''):\n    {body}"
    )


@pytest.mark.requirement("T16", "A7")
@pytest.mark.parametrize(
    "constant",
    [
        "FIND = 'SELECT * FROM ' + table",
        "FIND: str = f'SELECT * FROM {table}'",
        "FIND = 'DELETE FROM %s' % table",
        "class C:\n    FIND = ' '.join(('INSERT INTO', table))",
    ],
)
def test_a_constant_that_is_put_together_is_found_wherever_it_stands(constant: str) -> None:
    assert found(constant)
    written_out = "'SELECT * FROM one'"
    assert not found(f"{constant.split('=')[0]}= {written_out}")


@pytest.mark.requirement("T16", "A7")
def test_a_migration_that_is_put_together_is_found() -> None:
    source = "import sqlite3\nschema = Schema('identity', 1, (({},),))"
    assert found(source.format("'CREATE TABLE ' + name"))
    assert found(source.format("f'CREATE TABLE {name}'"))
    assert not found(source.format("'CREATE TABLE one (x)'"))


@pytest.mark.requirement("T16", "A7")
def test_whoever_imports_the_owner_of_the_database_is_near_it() -> None:
    source = "def f(db, words):\n    db.run(words)"
    assert found(f"from terminal.schema import Database\n{source}")
    assert not found(source)


def test_a_function_may_hand_on_the_statement_it_was_given() -> None:
    assert not found("import sqlite3\ndef f(db, statement):\n    db.execute(statement)")


@pytest.mark.parametrize(
    "method", ["execute", "executemany", "executescript", "query", "run", "row"]
)
def test_every_way_to_run_a_statement_is_looked_at(method: str) -> None:
    assert found(f"def f(db, x):\n    db.{method}(f'{{x}}')")


@pytest.mark.parametrize(
    "call",
    [
        "db.execute('SELECT 1 WHERE x = ?', (x,))",
        "db.execute('SELECT 1 '\n 'WHERE x = ?', (x,))",
        "db.execute(INSERT_EVENT, (x,))",
        "db.execute(statements.INSERT_EVENT, (x,))",
        "db.execute(f'PRAGMA user_version = {x:d}')",
        "for y in ('SELECT 1', 'SELECT 2'): db.execute(y)",
    ],
)
def test_a_written_out_statement_with_bound_values_is_right(call: str) -> None:
    assert not found(f"import sqlite3\ndef f(db, x):\n    {call}")


@pytest.mark.requirement("T16", "A28")
@pytest.mark.parametrize(
    "call",
    [
        "subprocess.run('ls', shell=True)",
        "subprocess.run('ls', shell=wanted)",
        "os.system('ls')",
        "os.popen('ls')",
        "subprocess.getoutput('ls')",
    ],
)
def test_a_shell_is_found(call: str) -> None:
    assert found(f"import os, subprocess\nwanted = 1\n{call}")


def test_a_list_of_words_is_no_shell() -> None:
    assert not found("import subprocess\nsubprocess.run(['ls'], shell=False)")


@pytest.mark.parametrize("kind", ["", " Exception", " BaseException", " (ValueError, Exception)"])
def test_catching_everything_is_for_the_loop_alone(kind: str) -> None:
    source = f"try:\n    f()\nexcept{kind}:\n    g()"
    assert found(source)
    assert not found(source, "terminal/loop.py")


def test_tidying_up_and_raising_again_is_right_anywhere() -> None:
    assert not found("try:\n    f()\nexcept BaseException:\n    g()\n    raise")
    assert found("try:\n    f()\nexcept Exception as error:\n    raise ValueError from error")


def test_catching_a_named_error_is_right() -> None:
    assert not found("try:\n    f()\nexcept (ValueError, OSError):\n    g()")


@pytest.mark.parametrize(
    "source",
    [
        "eval('1')",
        "exec('x = 1')",
        "import pickle",
        "from marshal import loads",
        "import numpy as np\nnp.load('x', allow_pickle=True)",
    ],
)
def test_running_data_is_found(source: str) -> None:
    assert found(source)


@pytest.mark.requirement("R05")
@pytest.mark.parametrize(
    "source",
    [
        "import socket\nsocket.socket(socket.AF_INET)",
        "from socket import AF_INET6",
        "from socket import create_connection\ncreate_connection(('host', 1))",
        "import socket as s\ns.create_connection(('host', 1))",
    ],
)
def test_a_socket_out_of_the_machine_is_found(source: str) -> None:
    assert found(source)


@pytest.mark.requirement("R05")
def test_a_unix_socket_is_right() -> None:
    assert not found("import socket\nsocket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)")


@pytest.mark.requirement("R17", "R36", "D6")
@pytest.mark.parametrize(
    "source",
    [
        "import cv2\ncv2.imwrite('x.png', frame)",
        "import cv2\ncv2.imencode('.png', frame)",
        "from cv2 import VideoWriter",
        "frame.tofile('x')",
    ],
)
def test_a_way_to_write_a_picture_is_found(source: str) -> None:
    assert found(source)


def test_the_bench_may_film_what_it_draws() -> None:
    assert not found("import cv2\ncv2.imwrite('x.png', scene)", "hw/bench_camera.py")
    assert found("import cv2\ncv2.imwrite('x.png', frame)", "hw/camera_v4l2.py")


@pytest.mark.requirement("R05", "R17", "R36", "D6", "T16", "A7")
def test_the_product_breaks_no_rule(capsys: pytest.CaptureFixture[str]) -> None:
    assert rules.main([]) == 0, capsys.readouterr().out


def test_a_finding_says_where_it_is() -> None:
    (finding,) = rules.findings_in("x = 1\neval('1')", "hw/gpio.py")
    assert str(finding).startswith("hw/gpio.py:2: ")


def test_the_product_is_really_read() -> None:
    names = {path.relative_to(rules.ROOT).parts[0] for path in rules.product_files()}
    assert names == set(rules.PRODUCT)


def test_what_is_no_python_is_a_finding_and_no_traceback() -> None:
    (message,) = found("def f(:\n")
    assert "can't be read" in message
