#!/usr/bin/env python3
"""Lets cargo-mutants change the engine's rules one small step at a time, with the engine's tests of the rules as the judge.

usage: tests.py SOURCE TARGET [--sample N --seed S] [--minutes M]

SOURCE is a copy of the workspace, of which cargo-mutants makes its own by .cargo/mutants.toml; all that is built and written is in
TARGET, with what each mutant's tests printed in TARGET/mutants.out. A sample is one of as many shards as make it about N mutants;
the seed says which. Otherwise mutants come in random order until the time is up. Exit code 1 if a mutant survived.
"""

import argparse
import os
import pathlib
import signal
import subprocess
import sys


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("target", type=pathlib.Path)
    parser.add_argument("--sample", type=int, help="about so many mutants, chosen by the seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=20, help="stop after this long")
    return parser.parse_args()


def chosen(total, options):
    """The arguments that choose mutants."""
    if options.sample is None:
        return ["--shuffle"]
    shards = max(1, total // max(1, options.sample))
    return ["--sharding", "round-robin", "--shard", f"{options.seed % shards}/{shards}"]


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


def main():
    options = arguments()
    target = options.target.resolve()
    scratch = target / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    command = ["cargo", "mutants", "--dir", str(options.source), "--package", "klaxon-engine", "--output", str(target)]
    environment = {
        **os.environ,
        "CARGO_TARGET_DIR": str(target / "target"),
        "TMPDIR": str(scratch),
        # Of cargo-mutants, when it is stopped.
        "RUST_BACKTRACE": "0",
        # A mutant's failure is not searched for its smallest example, nor kept for the mutants after it.
        "PROPTEST_MAX_SHRINK_ITERS": "0",
        "PROPTEST_DISABLE_FAILURE_PERSISTENCE": "1",
    }
    listed = subprocess.run([*command, "--list"], env=environment, check=True, capture_output=True, text=True)
    total = len(listed.stdout.splitlines())
    running = subprocess.Popen([*command, *chosen(total, options)], env=environment)
    try:
        code = running.wait(options.minutes * 60)
    except subprocess.TimeoutExpired:
        running.send_signal(signal.SIGINT)
        running.wait()
        code = None
    # 2: some were missed; 3: the tests of some did not end. Anything else is a fault of the run itself.
    if code not in (None, 0, 2, 3):
        sys.exit(f"cargo-mutants ended with exit code {code}")
    out = target / "mutants.out"
    caught, missed, hung, unviable = (lines(out / f"{kind}.txt") for kind in ("caught", "missed", "timeout", "unviable"))
    tried = len(caught) + len(missed) + len(hung) + len(unviable)
    print(
        f"of {total} mutants {tried} were tried{', then the time was up' if code is None else ''}: {len(caught)} caught by a test, "
        f"{len(hung)} whose tests did not end, {len(unviable)} that do not compile, {len(missed)} survived",
        *(f"survived: {one}" for one in missed),
        sep="\n",
    )
    if tried == 0:
        sys.exit("no mutant was tried: give it more minutes, for the first build")
    sys.exit(1 if missed else 0)


main()
