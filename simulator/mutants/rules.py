#!/usr/bin/env python3
"""Breaks one rule of the engine at a time, lets the swarm play, and asks its audit alone: prints what it caught and what it missed.

usage: rules.py SOURCE TARGET [--only NAME,...] [--sample N --seed S] [--minutes M] [--slot COMMAND] [--check]

SOURCE is a copy of the workspace, whose files are changed and put back; TARGET is cargo's target directory. The swarm is built once and
not changed. Exit code 1 if a break was missed. With --check nothing is broken: it fails if the table does not follow the rules' source.
"""

import argparse
import pathlib
import random
import subprocess
import sys
import tempfile
import time

GAME = "engine/src/game/trivia/"
BINGO = "../bingo/"
ELIMINATION, POINTS, BOTH = "elimination", "points", "both"
BINGO75, BINGO90 = "bingo75", "bingo90"

# name, mode in which it shows, file, what stands there, what is put in its place, and with which options of the swarm, if it takes some
USUAL = {"--players": "200", "--pot": "500003"}
BREAKS = [
    ("streak-bonus-capped-one-early", POINTS, "points.rs", "STREAK_MOST: u32 = 5", "STREAK_MOST: u32 = 4"),
    ("silent-players-stay", ELIMINATION, "reveal.rs", "if eliminates && seats.lose(", "if eliminates && choice.is_some() && seats.lose("),
    ("remainder-to-the-last", ELIMINATION, "prizes.rs", "u64::from(index < pot % count)", "u64::from(count - 1 - index < pot % count)"),
    ("last-400-ms-refused", ELIMINATION, "entry.rs", "            Ok(elapsed) => PreCheck::MayCount { elapsed },",
     "            Ok(_) if at + klaxon_protocol::time::Span(400) >= asked.clock.window().closes => refused(ErrorCode::TooLate),\n"
     "            Ok(elapsed) => PreCheck::MayCount { elapsed },"),
    ("ranks-do-not-skip-after-a-tie", POINTS, "ranking.rs", "before += here;", "before += u32::from(here > 0);"),
    ("places-do-not-skip-after-a-tie", ELIMINATION, "../places.rs", "let place = u32::try_from(ranking.len() + 1).expect(\"settings allow 10 million seats at most\");",
     "let place = ranking.last().map_or(0, |last: &(u32, Seat)| last.0) + 1;", "--players", "1500"),
    ("points-rounded-up", POINTS, "points.rs", ".saturating_mul(remaining) / total.0.max(1)", ".saturating_mul(remaining).div_ceil(total.0.max(1))"),
    ("slower-before-faster", ELIMINATION, "ranking.rs", "self.seats.time[index])", "u32::MAX - self.seats.time[index])"),
    ("a-life-too-many", ELIMINATION, "access.rs", "self.settings.lives } else", "self.settings.lives + 1 } else"),
    ("void-leaves-streaks", POINTS, "reveal.rs", "            seats.streak[index] = undo.streaks[index];\n", ""),
    ("void-leaves-points", POINTS, "reveal.rs", "seats.score[index] = seats.score[index].checked_sub(gained).expect(TAKEN_BACK);", "let _ = gained;"),
    ("void-leaves-lives-lost", ELIMINATION, "reveal.rs", "undo.life_lost.contains(seat) {\n                seats.give_lives(seat, 1);", "undo.life_lost.contains(seat) {"),
    ("100-ms-late-counts", ELIMINATION, "../clock.rs", "if at < window.closes {", "if at < window.closes + Span(100) {"),
    ("first-10-ms-refused", ELIMINATION, "../clock.rs", "if at < window.opens {", "if at < window.opens + Span(10) {"),
    ("one-silent-too-many", POINTS, "reveal.rs", "counts, silent, alive:", "counts, silent: silent + 1, alive:"),
    ("one-alive-too-many", ELIMINATION, "reveal.rs", "alive: self.seats.alive.count() };", "alive: self.seats.alive.count() + 1 };"),
    ("ten-points-too-many", POINTS, "reveal.rs", "seats.score[index] += gained[index];", "seats.score[index] += gained[index] + 10 * u32::from(gained[index] > 0);"),
    ("99-places-are-named", ELIMINATION, "ranking.rs", "PLACES: usize = 100", "PLACES: usize = 99"),
    ("nine-lead", BOTH, "ranking.rs", "LEADERS: usize = 10", "LEADERS: usize = 9"),
    ("snapshot-counts-one-more", ELIMINATION, "view.rs", "            joined: self.people.roster.seated(),\n            alive: self.seats.alive.count(),\n            pot",
     "            joined: self.people.roster.seated() + 1,\n            alive: self.seats.alive.count(),\n            pot"),
    ("own-state-without-a-rank", POINTS, "view.rs", "rank: self.rank_of(seat),", "rank: 0,"),
    ("own-state-without-the-answer", ELIMINATION, "view.rs", "answered: self.seats.choice(seat),", "answered: None,"),
    ("already-answered-names-the-new-choice", ELIMINATION, "entry.rs", "Verdict::AlreadyAnswered(counted)),", "Verdict::AlreadyAnswered(claim.value.clone())),"),
    ("too-late-before-the-opening", ELIMINATION, "../clock.rs", "{ ErrorCode::TooEarly } else", "{ ErrorCode::TooLate } else"),
    ("a-repeat-after-the-close-is-refused", ELIMINATION, "entry.rs", "            Some(counted) if counted == claim.value =>",
     "            Some(_) if self.stage.phase != Phase::Question => return refused(ErrorCode::TooLate),\n"
     "            Some(counted) if counted == claim.value =>"),
    ("lives-are-not-lost", ELIMINATION, "seats.rs", "self.lives[index] -= 1;", "{}"),
    ("speed-is-worth-less", BOTH, "points.rs", "SPEED: u32 = 500", "SPEED: u32 = 490"),
    ("a-question-is-closed-before-it-opens", ELIMINATION, "host.rs", "self.rules >= Rules::Second && !asked.clock.has_opened(now)", "false && !asked.clock.has_opened(now)"),
    ("given-lives-are-not-told", ELIMINATION, "host.rs", "Ok(vec![Effect::TellSome(Arc::new(personal))])", "drop(personal);\n        Ok(Vec::new())"),
    ("a-prize-of-nothing-wins", ELIMINATION, "ranking.rs", "filter(|&&part| counts_all || part > 0)", "filter(|_| true)", "--pot", "50"),
    ("first-place-gets-no-remainder", POINTS, "prizes.rs", "parts.iter_mut().take(left).for_each(", "parts.iter_mut().rev().take(left).for_each("),
    ("speed-is-paid-in-a-show-that-does-not", POINTS, "points.rs", "if speed_points { elapsed } else { Span(0) }", "{ _ = speed_points; elapsed }", "--no-speed-points"),
    ("streaks-are-paid-in-a-show-that-does-not", POINTS, "reveal.rs", "if streak_points { seats.streak[index] } else { 0 }", "{ _ = streak_points; seats.streak[index] }",
     "--no-streak-points"),
    ("what-does-not-divide-is-kept", BINGO75, BINGO + "calls.rs", "one_more: (amount % winners as u64) as u32", "one_more: 0"),
    ("one-to-go-is-paid", BINGO75, BINGO + "judging.rs", "if playing.index.to_go(number, call.prize) > 0 {", "if playing.index.to_go(number, call.prize) > 1 {"),
    ("a-ball-never-stays-in-its-place", BINGO75, BINGO + "order.rs", "draws.below(place as u128 + 1)", "draws.below(place as u128)"),
    ("numbers-of-a-column-are-left-in-order", BINGO75, BINGO + "ticket75.rs", "rest.swap_remove(index)", "rest.remove(index)"),
    ("one-false-call-more-is-free", BINGO90, BINGO + "judging.rs", "caller.false_calls < u16::from(settings.false_call_limit)",
     "caller.false_calls <= u16::from(settings.false_call_limit)"),
    ("strips-by-other-weights", BINGO90, BINGO + "strip.rs", "[27, 18, 12, 8]", "[27, 18, 12, 9]"),
    ("a-sleeper-wins-where-the-last-ball-must", BINGO90, BINGO + "judging.rs", "self.setup.settings.last_ball == LastBall::Any {", "self.setup.settings.last_ball == LastBall::Any || true {"),
    ("the-roster-has-other-times", BINGO90, BINGO + "dealing.rs", "stage.ledger.sat_at(seat).0", "stage.ledger.sat_at(seat).0 + 1"),
]


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("target", type=pathlib.Path)
    parser.add_argument("--only", help="names of breaks, with commas")
    parser.add_argument("--sample", type=int, help="so many breaks, chosen by the seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=20, help="begin no further break after this long")
    parser.add_argument("--slot", default="", help="what stands before cargo")
    parser.add_argument("--check", action="store_true", help="only see whether each break has its place in the source")
    return parser.parse_args()


def chosen(options):
    breaks = [one for one in BREAKS if options.only is None or one[0] in options.only.split(",")]
    if options.sample is not None:
        breaks = random.Random(options.seed).sample(breaks, min(options.sample, len(breaks)))
    return breaks


def misplaced(source):
    """Breaks whose text stands in the source not at all, or more than once."""
    found = ((name, file, (source / GAME / file).read_text().count(before)) for name, _, file, before, *_ in BREAKS)
    return [f"{name}: its text is {count} times in {GAME}{file}" for name, file, count in found if count != 1]


def build(options, *what):
    command = [*options.slot.split(), "cargo", "build", "--quiet", *what, "--target-dir", str(options.target)]
    done = subprocess.run(command, cwd=options.source, capture_output=True, text=True)
    return done.stderr if done.returncode else None


def play(options, swarm, mode, more):
    """The lines of broken promises, or none if all were kept."""
    usual = [word for option in USUAL.items() if option[0] not in more for word in option]
    kind = ["--show", mode, "--open-for", "500ms", "--lead", "100ms", "--pause", "20ms"] if mode in (BINGO75, BINGO90) else \
        ["--mode", mode, "--questions", "9", "--open-for", "2s", "--lives", "3", "--extras", "--pause", "300ms", "--suspense", "100ms"]
    command = [swarm, "--klaxon", options.target / "debug/klaxon", *usual, *more, *kind, "--seed", str(options.seed),
               "--bad-networks", "0.1", "--cheats", "0.05", "--dawdlers", "0.2"]
    done = subprocess.run(command, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    said = [line.strip()[:240] for number, line in enumerate(lines) if "✗" in line or (number and "✗" in lines[number - 1])]
    return done.returncode, said or done.stderr.strip().splitlines()[-3:]


def main():
    options = arguments()
    problems = misplaced(options.source)
    if problems:
        sys.exit("This table must follow the rules:\n" + "\n".join(problems))
    if options.check:
        return
    end = time.monotonic() + options.minutes * 60
    problem = build(options, "-p", "klaxon-simulator", "--bin", "klaxon-swarm")
    if problem:
        sys.exit(problem)
    swarm = pathlib.Path(tempfile.mkdtemp(prefix="klaxon-mutants-")) / "klaxon-swarm"
    swarm.write_bytes((options.target / "debug/klaxon-swarm").read_bytes())
    swarm.chmod(0o755)
    caught, missed, left = 0, [], 0
    for name, mode, file, before, after, *more in chosen(options):
        if time.monotonic() > end:
            left += 1
            continue
        path = options.source / GAME / file
        text = path.read_text()
        path.write_text(text.replace(before, after))
        try:
            problem = build(options, "-p", "klaxon-gateway", "--bin", "klaxon")
            code, said = (None, [problem]) if problem else play(options, swarm, mode, more)
        finally:
            path.write_text(text)
        verdict = {0: "MISSED", 1: "caught", None: "DOES NOT COMPILE"}.get(code, f"exit code {code}")
        print(f"{verdict:8} {name} ({mode})", *(f"         {line}" for line in said), sep="\n", flush=True)
        if code == 1:
            caught += 1
        else:
            missed.append(name)
    print(f"{caught} caught, {len(missed)} not: {', '.join(missed) or 'none'}; {left} not tried, the time was up")
    sys.exit(1 if missed else 0)


main()
