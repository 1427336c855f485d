//! The parts of quiz that the swarm plays.

use klaxon_protocol::games::trivia::{Pack, PackQuestion};
use serde_json::{Value, json};

/// How long others can buzz after the first, in ms.
const BUZZ_WINDOW: u64 = 250;

/// Questions of all kinds, each open for so many ms.
#[must_use]
pub fn kinds(open_for: u64) -> Value {
    let questions = json!([
        { "kind": "slide", "text": "Welcome! Each question is of another kind.", "open_for": 500 },
        { "kind": "choice", "text": "Which planet is the largest?", "choices": ["Jupiter", "Mars", "Venus", "Saturn"], "right": 0,
          "category": "Science", "explanation": "It weighs more than twice all others." },
        { "kind": "choices", "text": "Which of these are prime?", "choices": ["2", "9", "11", "15", "23"], "right": [0, 2, 4], "times": 2 },
        { "kind": "choices", "text": "Which of these fly?", "choices": ["Sparrow", "Ostrich", "Bat", "Kiwi", "Bee", "Emu"], "right": [0, 2, 4],
          "by": "share", "weights": [2, -1, 3, 0, 2, -1] },
        { "kind": "number", "text": "How far is the Moon?", "right": 384, "unit": "thousand km", "least": 0, "most": 2000,
          "score": { "by": "within", "off": 20 } },
        { "kind": "number", "text": "At how many °C does mercury freeze?", "right": -3883, "decimals": 2, "unit": "°C", "least": -10_000,
          "most": 10_000, "score": { "by": "curve", "zero": 2_000 } },
        { "kind": "number", "text": "When was the Eiffel Tower opened?", "right": 1889, "least": 1500, "most": 2100,
          "score": { "by": "nearest", "places": [500, 300, 300, 100] } },
        { "kind": "order", "text": "From the smallest to the largest country:", "items": ["Malta", "Portugal", "France", "Brazil", "Russia"] },
        { "kind": "order", "text": "From the nearest to the farthest planet:", "by": "share", "penalty": 100,
          "items": ["Mercury", "Venus", "Earth", "Mars", "Jupiter", "Saturn", "Uranus", "Neptune"] },
        { "kind": "text", "text": "In which city is the Sugarloaf Mountain?", "spellings": ["Rio de Janeiro", "Rio"], "typos": 2 },
        { "kind": "text", "text": "Which city has the most people in South America?", "spellings": ["São Paulo", "Sao Paulo da Garoa"], "typos": 1,
          "case": true, "marks": true, "longest": 40 },
        { "kind": "poll", "text": "Tea or coffee?", "choices": ["Tea", "Coffee", "Neither"] },
        { "kind": "words", "text": "Three words for this evening?", "each": 3, "longest": 20, "players": 2 },
        { "kind": "fastest", "text": "Which is the capital of Kenya?", "choices": ["Nairobi", "Mombasa", "Kampala"], "right": [0], "places": [900, 600, 300] },
        { "kind": "fastest", "text": "Put these in the order of the alphabet:", "choices": ["Delta", "Alpha", "Golf", "Bravo"], "right": [1, 3, 0, 2],
          "places": [500, 250] },
        { "kind": "buzzer", "text": "Who painted the Mona Lisa?", "window": BUZZ_WINDOW, "points": 400, "penalty": 100 },
        { "kind": "buzzer", "text": "What is the seventh digit of pi?", "window": BUZZ_WINDOW, "wrong": "reopen", "penalty": 200 },
        { "kind": "buzzer", "text": "How many legs has a spider?", "window": BUZZ_WINDOW, "choices": ["6", "8", "10"], "right": 1 },
        { "kind": "buzzer", "text": "Which metal is liquid?", "window": BUZZ_WINDOW, "choices": ["Gold", "Mercury", "Tin", "Zinc"], "right": 1,
          "wrong": "over", "points": 700 },
        { "kind": "majority", "text": "Which pet do most of you have?", "choices": ["Cat", "Dog", "Fish", "None"], "tie": "none" },
        { "kind": "wager", "text": "How much do you stake on geography?", "most": 1500 },
        { "kind": "choice", "text": "Which is the longest river of Europe?", "choices": ["Volga", "Danube", "Rhine"], "right": 0 },
        { "kind": "wager", "text": "Double or quit?", "stake": "double_or_quit", "most": 100_000 },
        { "kind": "text", "text": "Which river flows through Cairo?", "spellings": ["Nile", "the Nile"], "typos": 1 },
        { "kind": "slide", "text": "That was all of them.", "open_for": 500 },
    ]);
    json!({
        "part": "quiz", "mode": "points", "open_for": open_for, "penalty": 50, "late": "mean", "orders": 3, "questions": questions,
    })
}

/// Questions that put players out, each open for a shorter time than the one before it; the first for so many ms.
#[must_use]
pub fn survival(open_for: u64) -> Value {
    let questions = json!([
        { "kind": "choice", "text": "How many sides has a hexagon?", "choices": ["5", "6", "8"], "right": 1 },
        { "kind": "number", "text": "How many days has a leap year?", "right": 366, "score": { "by": "within", "off": 1 }, "least": 1, "most": 1000 },
        { "kind": "majority", "text": "Heads or tails?", "choices": ["Heads", "Tails"], "tie": "all" },
        { "kind": "order", "text": "From the shortest to the longest:", "items": ["Second", "Minute", "Hour"] },
        { "kind": "fastest", "text": "Which is a colour?", "choices": ["Blue", "Loud", "Sour"], "right": [0], "places": [300, 200, 100] },
        { "kind": "text", "text": "What is the opposite of left?", "spellings": ["right"], "typos": 1 },
    ]);
    json!({
        "part": "quiz", "keep": { "points": false }, "mode": "both", "accuracy_only": true, "open_for": open_for, "survival": { "shrink": 10, "least": 500 }, "all_wrong_all_stay": true,
        "last_question_lives": false, "questions": questions,
    })
}

/// Questions without points, in which all play again who were out; the host ends the part after some of them.
#[must_use]
pub fn last_chance(open_for: u64) -> Value {
    let questions = json!([
        { "kind": "choice", "text": "Is zero even?", "choices": ["Yes", "No"], "right": 0 },
        { "kind": "choices", "text": "Which are islands?", "choices": ["Cuba", "Peru", "Java"], "right": [0, 2] },
        { "kind": "poll", "text": "Was that fair?", "choices": ["Yes", "No"] },
        { "kind": "choice", "text": "This is not asked any more.", "choices": ["Yes", "No"], "right": 1 },
    ]);
    json!({
        "part": "quiz", "keep": { "lives": false, "out": false }, "mode": "elimination", "open_for": open_for,
        "close_when_all": true, "leaderboard": false, "shuffle": false, "questions": questions,
    })
}

/// The questions of a pack, each open for so many ms.
#[must_use]
pub fn of_pack(pack: &Pack, open_for: u64) -> Value {
    let question = |question: &PackQuestion| json!({ "kind": "choice", "text": question.text, "choices": question.choices, "right": question.right });
    let questions: Vec<Value> = pack.questions.iter().map(question).collect();
    json!({ "part": "quiz", "mode": "points", "open_for": open_for, "questions": questions })
}

/// Questions for those who buzz first, each open for so many ms.
#[must_use]
pub fn buzzers(open_for: u64) -> Value {
    let questions = json!([
        { "kind": "buzzer", "text": "Who wrote Hamlet?", "window": BUZZ_WINDOW },
        { "kind": "buzzer", "text": "What is the capital of Australia?", "window": BUZZ_WINDOW, "wrong": "reopen" },
        { "kind": "buzzer", "text": "Which is the largest ocean?", "window": BUZZ_WINDOW, "choices": ["Pacific", "Atlantic", "Indian"], "right": 0 },
    ]);
    json!({ "part": "quiz", "mode": "points", "open_for": open_for, "points": 500, "penalty": 250, "below_zero": true, "questions": questions })
}

/// How many rounds a part of quiz has, unless the host opens some again.
#[must_use]
pub fn rounds(part: &Value) -> u16 {
    let questions = part["questions"].as_array().into_iter().flatten();
    u16::try_from(questions.filter(|question| question["kind"] != "slide").count()).unwrap_or(u16::MAX)
}
