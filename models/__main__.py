"""`python -m models build|verify|calibrate`: makes, checks and calibrates the model files.

Data goes to stdout, words to stderr; exit 0, 1, 2 = done, refused, misused. Every failure is one
sentence. It must hold no logic of its own; it changes with the commands.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from models import build as builder
from models import manifest as manifests
from models.errors import ModelsError
from models.files import FileState, write_atomically
from models.paths import (
    BUILD_DIR,
    MANIFEST_FILE,
    MODEL_DIR,
    PACKAGE_CACHE_VARIABLE,
    package_cache,
    portrait_dir,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    given = _parser().parse_args(arguments)
    try:
        if given.command == "build":
            return _build(given)
        if given.command == "verify":
            return _verify(given)
        return _calibrate(given)
    except ModelsError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped; what is finished is kept, run it again to go on.", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m models", description=_first_line(__doc__))
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", help="download, verify and convert the models")
    verify = commands.add_parser("verify", help="compare the model files with the manifest")
    verify.add_argument("--json", action="store_true", help="one JSON list on stdout")
    calibrate = commands.add_parser("calibrate", help="measure the error curve of the embedder")
    calibrate.add_argument("--faces", type=Path, required=True, help="one folder a person")
    calibrate.add_argument("--embedder", choices=("int8", "float32"), action="append")
    calibrate.add_argument("--seed", type=int, default=2, help="of the resampling (default 2)")
    calibrate.add_argument("--json", type=Path, help="write the whole report there")
    calibrate.add_argument(
        "--write", metavar="SET", help="write the curve into the manifest, as measured on this set"
    )
    for command in (build, verify, calibrate):
        command.add_argument("--models", type=Path, default=MODEL_DIR, help="the .tflite files")
        command.add_argument("--build", type=Path, default=BUILD_DIR, help="build artefacts")
    return parser


def _places(given: argparse.Namespace) -> builder.Places:
    elsewhere = os.environ.get(PACKAGE_CACHE_VARIABLE)
    cache = Path(elsewhere) if elsewhere else package_cache(given.build)
    return builder.Places(given.models, portrait_dir(given.build), cache)


def _build(given: argparse.Namespace) -> int:
    made = builder.build(manifests.load(), _places(given), _say)
    _say(f"{len(made)} files made" if made else "all model files are there and right")
    return 0


def _verify(given: argparse.Namespace) -> int:
    reports = builder.verify(manifests.load(), _places(given))
    if given.json:
        print(json.dumps([{"file": str(one.path), "state": one.state.value} for one in reports]))
    else:
        for one in reports:
            print(f"{one.state.value:8}{one.path}")
    wrong = sum(one.state is not FileState.OK for one in reports)
    if wrong:
        _say(f"{wrong} of {len(reports)} files are missing or wrong; run make models.")
    return 1 if wrong else 0


def _calibrate(given: argparse.Namespace) -> int:
    # Imported here: build and verify need no runtime.
    from models import calibration, curvefile
    from models.faces import FacePipeline

    report = {}
    for kind in given.embedder or ("int8", "float32"):
        pipeline = FacePipeline.load(given.models, kind)
        samples = calibration.acquire(given.faces, pipeline, _say)
        measured = calibration.calibrate(samples, given.write or "a set of your own", given.seed)
        print(f"embedder {kind}: {calibration.table(measured)}")
        report[kind] = measured.as_json()
        if given.write:
            curvefile.write_curve(MANIFEST_FILE, f"embedder_{kind}", measured.curve)
            _say(f"the curve of embedder_{kind} is in {MANIFEST_FILE.name}")
    if given.json:
        write_atomically(given.json, (json.dumps(report, indent=1) + "\n").encode())
    return 0


def _say(line: str) -> None:
    print(f"models: {line}", file=sys.stderr, flush=True)


def _first_line(text: str | None) -> str:
    return (text or "").splitlines()[0]


if __name__ == "__main__":
    sys.exit(main())
