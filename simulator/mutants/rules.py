#!/usr/bin/env python3
"""Builds one server whose rules can be broken at run time, one at a time, and asks the audit of a swarm alone: prints what it caught and missed.

usage: rules.py SOURCE TARGET [--only NAME,...] [--sample N --seed S] [--minutes M] [--slot COMMAND] [--check]

SOURCE is a copy of the workspace, whose files are changed; TARGET is cargo's target directory. Each break becomes a branch of the code
that is taken if the environment names it, so that all of them are compiled once. First a show of each kind is played unbroken, and must be
clean. Exit code 1 if a break was missed. With --check nothing is changed: it fails if the table does not follow the rules' source.
"""

import argparse
import os
import pathlib
import random
import subprocess
import sys
import time

GAME = "engine/src/game/"
ELIMINATION, POINTS, BOTH = "elimination", "points", "both"
BINGO75, BINGO90, KINDS = "bingo75", "bingo90", "kinds"

# Which rule of which game is broken: its name, the show in which that is seen, the file, what stands there, what is done instead, and options
# of the swarm, if that takes some. What is replaced is a whole expression, or whole statements; if it can be told from others only by what
# stands around it, it is marked by « and ».
USUAL = {"--players": "200", "--pot": "500003"}
BREAKS = [
    ("streak-bonus-capped-one-early", POINTS, "trivia/points.rs", ".min(«STREAK_MOST»)", "STREAK_MOST - 1"),
    ("silent-players-stay", ELIMINATION, "trivia/reveal.rs", "seats.lose(seat, id)", "choice.is_some() && seats.lose(seat, id)"),
    ("remainder-to-the-last", ELIMINATION, "prizes.rs", "u64::from(index < pot % count)", "u64::from(count - 1 - index < pot % count)"),
    ("last-400-ms-refused", ELIMINATION, "trivia/entry.rs", "Ok(elapsed) => «PreCheck::MayCount { elapsed }»,",
     "if at + klaxon_protocol::time::Span(400) >= asked.clock.window().closes { refused(ErrorCode::TooLate) } else { PreCheck::MayCount { elapsed } }"),
    ("ranks-do-not-skip-after-a-tie", POINTS, "trivia/ranking.rs", "before += here;", "before += u32::from(here > 0);"),
    ("places-do-not-skip-after-a-tie", ELIMINATION, "places.rs", "u32::try_from(ranking.len() + 1).expect(\"settings allow 10 million seats at most\")",
     "ranking.last().map_or(0, |last: &(u32, Seat)| last.0) + 1", "--players", "1500"),
    ("points-rounded-up", POINTS, "trivia/points.rs", "LEAST + «speed»", "speed + STEP * u32::from((SPEED / STEP).saturating_mul(remaining) % total.0.max(1) > 0)"),
    ("slower-before-faster", ELIMINATION, "trivia/ranking.rs", "Reverse(self.seats.score[index]), «self.seats.time[index]»)", "u32::MAX - self.seats.time[index]"),
    ("a-life-too-many", ELIMINATION, "trivia/access.rs", "if self.eliminates() { «self.settings.lives» }", "self.settings.lives + 1"),
    ("void-leaves-streaks", POINTS, "trivia/reveal.rs", "seats.streak[index] = undo.streaks[index];", ""),
    ("void-leaves-points", POINTS, "trivia/reveal.rs", "seats.score[index] = seats.score[index].checked_sub(gained).expect(TAKEN_BACK);", "let _ = gained;"),
    ("void-leaves-lives-lost", ELIMINATION, "trivia/reveal.rs", "undo.life_lost.contains(seat) {\n                «seats.give_lives(seat, 1);»", ""),
    ("100-ms-late-counts", ELIMINATION, "clock.rs", "at < window.closes", "at < window.closes + Span(100)"),
    ("first-10-ms-refused", ELIMINATION, "clock.rs", "at < window.opens", "at < window.opens + Span(10)"),
    ("one-silent-too-many", POINTS, "trivia/reveal.rs", "(gained, «silent»)\n", "silent + 1"),
    ("one-alive-too-many", ELIMINATION, "trivia/reveal.rs", "self.seats.alive.count()", "self.seats.alive.count() + 1"),
    ("ten-points-too-many", POINTS, "trivia/reveal.rs", "seats.score[index] += gained[index];", "seats.score[index] += gained[index] + 10 * u32::from(gained[index] > 0);"),
    ("99-places-are-named", ELIMINATION, "trivia/ranking.rs", "take(«PLACES»)", "PLACES - 1"),
    ("nine-lead", BOTH, "trivia/ranking.rs", "best.truncate(LEADERS);", "best.truncate(LEADERS - 1);"),
    ("snapshot-counts-one-more", ELIMINATION, "trivia/view.rs", "«self.people.roster.seated()»,\n            alive: self.seats.alive.count(),\n            pot",
     "self.people.roster.seated() + 1"),
    ("own-state-without-a-rank", POINTS, "trivia/view.rs", "self.rank_of(seat)", "0"),
    ("own-state-without-the-answer", ELIMINATION, "trivia/view.rs", "self.seats.choice(seat)", "None"),
    ("already-answered-names-the-new-choice", ELIMINATION, "trivia/entry.rs", "PreCheck::Decided(«Verdict::AlreadyAnswered(counted)»)",
     "Verdict::AlreadyAnswered(claim.value.clone())"),
    ("too-late-before-the-opening", ELIMINATION, "clock.rs", "if before == Span(0) { «ErrorCode::TooEarly» }", "ErrorCode::TooLate"),
    ("a-repeat-after-the-close-is-refused", ELIMINATION, "trivia/entry.rs", "PreCheck::Decided(Verdict::Accepted(counted))",
     "if self.stage.phase == Phase::Question { PreCheck::Decided(Verdict::Accepted(counted)) } else { refused(ErrorCode::TooLate) }"),
    ("lives-are-not-lost", ELIMINATION, "trivia/seats.rs", "self.lives[index] -= 1;", ""),
    ("speed-is-worth-less", BOTH, "trivia/points.rs", "(«SPEED» / STEP)", "SPEED - 10"),
    ("a-question-is-closed-before-it-opens", ELIMINATION, "trivia/host.rs", "self.rules >= Rules::Second && !asked.clock.has_opened(now)", "false"),
    ("given-lives-are-not-told", ELIMINATION, "trivia/host.rs", "Ok(vec![Effect::TellSome(Arc::new(personal))])", "{ drop(personal); Ok(Vec::new()) }"),
    ("a-prize-of-nothing-wins", ELIMINATION, "trivia/ranking.rs", "filter(|&&part| «counts_all || part > 0»)", "true", "--pot", "50"),
    ("first-place-gets-no-remainder", POINTS, "prizes.rs", "parts.iter_mut().take(left).for_each(|part| *part += 1);",
     "parts.iter_mut().rev().take(left).for_each(|part| *part += 1);"),
    ("speed-is-paid-in-a-show-that-does-not", POINTS, "trivia/points.rs", "if speed_points { elapsed } else { Span(0) }", "elapsed", "--no-speed-points"),
    ("streaks-are-paid-in-a-show-that-does-not", POINTS, "trivia/reveal.rs", "if streak_points { seats.streak[index] } else { 0 }", "seats.streak[index]",
     "--no-streak-points"),
    ("what-does-not-divide-is-kept", BINGO75, "bingo/calls.rs", "(amount % winners as u64) as u32", "0"),
    ("one-to-go-is-paid", BINGO75, "bingo/judging.rs", "playing.index.to_go(number, call.prize) > 0", "playing.index.to_go(number, call.prize) > 1"),
    ("a-ball-never-stays-in-its-place", BINGO75, "bingo/order.rs", "draws.below(«place as u128 + 1»)", "place as u128"),
    ("numbers-of-a-column-are-left-in-order", BINGO75, "bingo/ticket75.rs", "rest.swap_remove(index)", "rest.remove(index)"),
    ("one-false-call-more-is-free", BINGO90, "bingo/judging.rs", "caller.false_calls < u16::from(settings.false_call_limit)",
     "caller.false_calls <= u16::from(settings.false_call_limit)"),
    ("strips-by-other-weights", BINGO90, "bingo/strip.rs", "const BY_THREES: [u128; 4] = [27, 18, 12, 8];\n    «BY_THREES»", "[27, 18, 12, 9]"),
    ("a-sleeper-wins-where-the-last-ball-must", BINGO90, "bingo/judging.rs", "self.setup.settings.last_ball == LastBall::Any", "true"),
    ("the-roster-has-other-times", BINGO90, "bingo/dealing.rs", "stage.ledger.sat_at(seat).0", "stage.ledger.sat_at(seat).0 + 1"),
    ("a-wrong-answer-costs-nothing", KINDS, "quiz/judge/points.rs", "-i64::from(scoring.penalty)", "0"),
    ("speed-in-51-steps", KINDS, "quiz/judge/points.rs", "for_speed * step / «u64::from(SPEED_STEPS)»", "u64::from(SPEED_STEPS) + 1"),
    ("streaks-stop-at-two", KINDS, "quiz/judge/points.rs", "streak.min(«STREAK_MOST»)", "2"),
    ("a-wrong-answer-leaves-a-streak", KINDS, "quiz/judging.rs", "if mark.is_right() { seats.streaks[index].saturating_add(1) } else { 0 }",
     "seats.streaks[index].saturating_add(u8::from(mark.is_right()))"),
    ("wrong-choices-cost-nothing", KINDS, "quiz/judge/choices.rs", ".filter(|(choice, _)| chosen >> choice & 1 == 1)\n        .map(|(_, &weight)| «i64::from(weight)»)",
     "i64::from(weight.max(0))"),
    ("less-than-nothing-is-right", KINDS, "quiz/judge/choices.rs", "u64::try_from(sum).unwrap_or(0)", "sum.unsigned_abs()"),
    ("the-whole-is-less-by-wrong-choices", KINDS, "quiz/judge/choices.rs", ".filter(|weight| «**weight > 0»)", "**weight > i8::MIN"),
    ("only-the-first-of-several-choices-is-counted", KINDS, "quiz/sheet.rs", "|(choice, _)| «bits >> choice & 1 == 1»",
     "bits >> choice & 1 == 1 && *choice == 0"),
    ("one-more-off-is-within", KINDS, "quiz/marks.rs", "right.abs_diff(number_of_bits(bits)) <= *off",
     "right.abs_diff(number_of_bits(bits)) <= *off + 1"),
    ("the-curve-is-kinder", KINDS, "quiz/judge/number.rs", "u128::from(«zero.saturating_sub(off)»)", "(zero + 50).saturating_sub(off).min(zero - 1)"),
    ("the-nearest-by-seat", KINDS, "quiz/judge/number.rs", "((off(said), «elapsed»), seat)", "Span(0)"),
    ("one-nearest-too-few", KINDS, "quiz/judge/number.rs", "best::first(teams, «places», answers", "places.saturating_sub(1)"),
    ("one-item-at-its-place-is-two", KINDS, "quiz/judge/order.rs", "at_place as u64", "(at_place + usize::from(at_place == 1)) as u64"),
    ("the-last-place-does-not-count", KINDS, "quiz/judge/order.rs", "item_at(right, place) == item_at(said, place)",
     "item_at(right, place) == item_at(said, place) && place + 1 < items"),
    ("an-order-with-an-item-twice-counts", KINDS, "quiz/sheet.rs", "is_order(*bits, *items)", "bits >> (4 * *items) == 0"),
    ("an-order-is-right-in-part", KINDS, "quiz/sheet.rs", "By::All => «Rule::Exact(right)»,", "Rule::Places { right, items: count }"),
    ("one-typing-error-more", KINDS, "quiz/sheet.rs", "Accepted::new(&of.spellings, of.folding(), «of.typos»)", "of.typos + 1"),
    ("case-and-accents-never-matter", KINDS, "quiz/sheet.rs", "Accepted::new(&of.spellings, «of.folding()», of.typos)",
     "klaxon_protocol::games::quiz::Folding { case: true, marks: true }"),
    ("the-second-spelling-is-wrong", KINDS, "quiz/sheet.rs", "Accepted::new(«&of.spellings», of.folding(), of.typos)", "&of.spellings[..1]"),
    ("a-text-that-is-too-long-counts", KINDS, "quiz/sheet.rs", "text.as_str().len() <= *longest", "text.as_str().len() <= *longest + 300"),
    ("a-word-counts-as-often-as-it-is-given", KINDS, "quiz/judge/cloud.rs", "u32::from(is_new)", "1"),
    ("the-last-spelling-is-shown", KINDS, "quiz/judge/cloud.rs", "word < spelling.as_str()", "word > spelling.as_str()"),
    ("a-word-of-enough-is-not-shown", KINDS, "quiz/judge/cloud.rs", "count >= players", "count >= players * 20"),
    ("words-that-were-taken-out-are-shown", KINDS, "quiz/judge/cloud.rs", "!self.hidden.contains(word)", "true"),
    ("the-fastest-by-seat", KINDS, "quiz/judge/race.rs", "(elapsed, seat)", "(Span(0), seat)"),
    ("one-of-the-fastest-too-few", KINDS, "quiz/judge/race.rs", "best::first(teams, «places», right)", "places.saturating_sub(1)"),
    ("each-place-is-paid-as-the-next", KINDS, "quiz/judge/points.rs", "usize::try_from(place).unwrap_or(usize::MAX).saturating_sub(1)",
     "usize::try_from(place).unwrap_or(usize::MAX)"),
    ("the-right-without-a-place-are-paid", KINDS, "quiz/judge/points.rs", "Mark::Right if !places.is_empty() => «0»,", "1"),
    ("the-floor-by-seat", KINDS, "quiz/judge/buzzer.rs", "(elapsed, seat)", "(Span(0), seat)"),
    ("one-more-has-buzzed", KINDS, "quiz/floor.rs", "let buzzed = «self.answers.count()»;", "self.answers.count() + 1"),
    ("the-first-right-buzz-is-not-right", KINDS, "quiz/judge/buzzer.rs", "return (Some(seat), were_wrong);", "return (None, were_wrong);"),
    ("a-wrong-buzz-is-not-told", KINDS, "quiz/judging.rs", "(seat, «Mark::Wrong»)", "Mark::Silent"),
    ("the-buzzers-close-too-early", KINDS, "quiz/floor.rs", "buzzing.first_at? + «buzzer.window»",
     "klaxon_protocol::time::Span(buzzer.window.0 / 2)"),
    ("the-rarest-choice-is-the-majority", KINDS, "quiz/judge/majority.rs", "counts.iter().copied().max().unwrap_or(0)",
     "counts.iter().copied().min().unwrap_or(0)"),
    ("half-of-the-most-is-a-majority", KINDS, "quiz/judge/majority.rs", "**count == most", "**count * 2 >= most"),
    ("the-majority-is-not-told", KINDS, "quiz/reveal.rs", "found.frequent.map(Right::Choices).or_else(|| asked.sheet.right.clone())",
     "asked.sheet.right.clone()"),
    ("the-first-choice-is-always-the-majority", KINDS, "quiz/marks.rs", "self.frequent >> bits & 1 == 1",
     "self.frequent >> bits & 1 == 1 || bits == 0"),
    ("half-of-a-stake-is-lost", KINDS, "quiz/judge/wager.rs", "-i64::from(stake)", "-i64::from(stake / 2)"),
    ("a-stake-is-won-twice", KINDS, "quiz/judge/wager.rs", "{ «i64::from(stake)» } else", "2 * i64::from(stake)"),
    ("double-or-quit-is-for-half", KINDS, "quiz/judge/wager.rs", "1 => «Some(limit)»,", "Some(limit / 2)"),
    ("a-staked-question-pays-points-too", KINDS, "quiz/judging.rs", "wager::outcome(seats.stake(seat), mark)",
     "wager::outcome(seats.stake(seat), mark) + gained(scoring, places, mark, timing)"),
    ("a-life-is-used-in-the-last-question", KINDS, "quiz/judging.rs", "quiz.last_question_lives || !is_last_to_eliminate(quiz, asked.index)",
     "true"),
    ("the-silent-stay-in", KINDS, "quiz/judging.rs", "eliminates && !found.all_stay", "eliminates && !found.all_stay && mark != Mark::Silent"),
    ("a-wrong-answer-costs-no-life", KINDS, "quiz/undo.rs", "return ledger.lose(seat, round);", "return Lost::Nothing;"),
    ("points-that-are-not-kept-are-kept", KINDS, "rundown/ledger.rs", "line.points = other.points;", ""),
    ("lives-that-are-not-kept-are-kept", KINDS, "rundown/ledger.rs", "line.lives = other.lives;", ""),
    ("who-was-out-does-not-play-again", KINDS, "rundown/ledger.rs", "line.out = other.out;", ""),
    ("nine-lead-a-quiz", KINDS, "quiz/telling.rs", "smallest(«LEADERS»,", "LEADERS - 1"),
    ("equals-have-other-ranks", KINDS, "quiz/telling.rs", "last.points == points", "false"),
    ("each-rank-is-one-lower", KINDS, "quiz/telling.rs", "u32::try_from(«before + 1»)", "before + 2"),
]

# What the branches ask: whether the environment names the break.
ASKED = """
/// Whether the rule of this name is broken.
#[doc(hidden)]
pub fn broken(name: &str) -> bool {
    static NAME: std::sync::LazyLock<Option<String>> = std::sync::LazyLock::new(|| std::env::var("KLAXON_BREAK").ok());
    NAME.as_deref() == Some(name)
}
"""


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


def place(before):
    """The text to look for, and where in it what is replaced begins and ends."""
    marked = before if "«" in before else f"«{before}»"
    left, replaced, right = marked.replace("»", "«").split("«")
    return left + replaced + right, len(left), len(left) + len(replaced)


def branch(name, kept, after):
    """Code that does what it did, or if the environment says so what breaks the rule."""
    code = f'if crate::broken("{name}") {{ {after} }} else {{ {kept} }}'
    return code if kept.rstrip().endswith((";", "}")) else f"({code})"


def broken(source):
    """The files with all breaks in them as branches, and what could not be put in."""
    places, problems = {}, []
    for name, _, file, before, after, *_ in BREAKS:
        text = (source / GAME / file).read_text()
        context, begin, end = place(before)
        if text.count(context) == 1:
            at = text.index(context)
            places.setdefault(file, []).append((at + begin, at + end, name, after))
        else:
            problems.append(f"{name}: its text is {text.count(context)} times in {GAME}{file}")
    files = {}
    for file, breaks in places.items():
        text = (source / GAME / file).read_text()
        behind = len(text)
        for begin, end, name, after in sorted(breaks, reverse=True):
            if end > behind:
                problems.append(f"{name}: another break of {GAME}{file} replaces the same text")
            text = text[:begin] + branch(name, text[begin:end], after) + text[end:]
            behind = begin
        files[file] = text.replace("const fn", "fn")  # the branches ask the environment
    return files, problems


def build(options):
    command = [*options.slot.split(), "cargo", "build", "--quiet", "--no-default-features", "-p", "klaxon-simulator", "--bin", "klaxon-swarm",
               "-p", "klaxon-gateway", "--bin", "klaxon", "--target-dir", str(options.target)]
    done = subprocess.run(command, cwd=options.source, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)


def play(options, show, more=(), broken=None):
    """The swarm's exit code, and the lines of broken promises."""
    usual = [word for option in USUAL.items() if option[0] not in more for word in option]
    kind = ["--mode", show, "--questions", "9", "--open-for", "2s", "--lives", "3", "--extras", "--pause", "300ms", "--suspense", "100ms"] \
        if show in (ELIMINATION, POINTS, BOTH) else ["--show", show, "--open-for", "500ms", "--lead", "100ms", "--pause", "20ms"]
    programs = options.target / "debug"
    command = [programs / "klaxon-swarm", "--klaxon", programs / "klaxon", *usual, *more, *kind, "--seed", str(options.seed),
               "--bad-networks", "0.1", "--cheats", "0.05", "--dawdlers", "0.2"]
    environment = {name: value for name, value in os.environ.items() if name != "KLAXON_BREAK"} | ({"KLAXON_BREAK": broken} if broken else {})
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    lines = done.stdout.splitlines()
    said = [line.strip()[:240] for number, line in enumerate(lines) if "✗" in line or (number and "✗" in lines[number - 1])]
    return done.returncode, said or done.stderr.strip().splitlines()[-3:]


def main():
    options = arguments()
    files, problems = broken(options.source)
    if problems:
        sys.exit("This table must follow the rules:\n" + "\n".join(problems))
    if options.check:
        return
    end = time.monotonic() + options.minutes * 60
    for file, text in files.items():
        (options.source / GAME / file).write_text(text)
    library = options.source / "engine/src/lib.rs"
    library.write_text(library.read_text() + ASKED)
    build(options)
    breaks = chosen(options)
    for show in sorted({show for _, show, *_ in breaks}):
        code, said = play(options, show)
        if code:
            sys.exit("\n".join([f"{show} is not clean without a break (exit code {code}):", *said]))
    caught, missed, left = 0, [], 0
    for name, show, _, _, _, *more in breaks:
        if time.monotonic() > end:
            left += 1
            continue
        code, said = play(options, show, more, name)
        verdict = {0: "MISSED", 1: "caught"}.get(code, f"exit code {code}")
        print(f"{verdict:8} {name} ({show})", *(f"         {line}" for line in said), sep="\n", flush=True)
        if code == 1:
            caught += 1
        else:
            missed.append(name)
    print(f"{caught} caught, {len(missed)} not: {', '.join(missed) or 'none'}; {left} not tried, the time was up")
    sys.exit(1 if missed else 0)


main()
