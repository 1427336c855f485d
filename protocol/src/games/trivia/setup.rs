//! A show of trivia as one of any game: its questions and settings by name, in `create_game` and in the first record of its journal.
//!
//! Names are what lets both grow. A program refuses a name that it does not know, and says which: to go on without it would be another
//! show. What is at its default is not written, so a program without a setting can play the shows that don't use it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::host::Create;
use super::pack::{Pack, PackQuestion};
use super::settings::Settings;
use super::show::{TriviaShow, game_name};
use crate::error::{ErrorCode, Refusal};
use crate::host::CreateGame;
use crate::journal::{BegunGame, CreateShow};
use crate::player::Body;
use crate::time::Span;

/// Where the settings are in a setup.
const SETTINGS: &str = "settings";
/// Settings that every game has: they stand beside the setup.
const BESIDE: [&str; 2] = ["seats", "barrier"];

/// What only trivia knows of a show that begins.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct TriviaSetup {
    /// The questions, in the order in which they are asked.
    questions: Vec<PackQuestion>,
    /// How it is played.
    #[serde(default)]
    settings: Settings,
}

impl TriviaSetup {
    fn body(self) -> Body {
        let usual = Body::of(&Settings::default());
        let mut body = Body::of(&self);
        if let Some(Value::Object(settings)) = body.0.get_mut(SETTINGS) {
            settings.retain(|name, value| {
                let is_unsaid = Settings::NEWER.contains(&name.as_str()) && usual.0.get(name) == Some(value);
                !is_unsaid && !BESIDE.contains(&name.as_str())
            });
        }
        body
    }

    /// # Errors
    /// `bad_settings`, naming what is not known here, or what is wrong.
    fn read(body: &Body) -> Result<Self, Refusal> {
        let bad = |problem| Refusal::because(ErrorCode::BadSettings, problem);
        let settings = body.0.get(SETTINGS);
        if let Some(name) = BESIDE.iter().find(|name| settings.is_some_and(|settings| settings.get(name).is_some())) {
            return Err(bad(format!("`{SETTINGS}.{name}` stands beside `setup`, and not in it.")));
        }
        body.read_known().map_err(bad)
    }
}

/// The parts of a show of any game: its title, how many can play, the longest wait at a close, and the game's own part.
fn parts(Pack { title, questions }: Pack, settings: Settings) -> (String, u32, Span, Body) {
    (title, settings.seats, settings.barrier, TriviaSetup { questions, settings }.body())
}

fn from_parts(title: &str, seats: u32, barrier: Span, setup: &Body) -> Result<(Pack, Settings), Refusal> {
    let TriviaSetup { questions, settings } = TriviaSetup::read(setup)?;
    Ok((Pack { title: title.to_owned(), questions }, Settings { seats, barrier, ..settings }))
}

impl From<Create> for CreateGame {
    fn from(Create { id, code, pack, settings }: Create) -> Self {
        let (title, seats, barrier, setup) = parts(pack, settings);
        Self { id, code, game: game_name(), title, seats, barrier, setup }
    }
}

impl TryFrom<CreateGame> for Create {
    type Error = Refusal;

    /// # Errors
    /// If it is no setup of trivia, or has what is not known here.
    fn try_from(CreateGame { id, code, title, seats, barrier, setup, .. }: CreateGame) -> Result<Self, Refusal> {
        let (pack, settings) = from_parts(&title, seats, barrier, &setup)?;
        Ok(Self { id, code, pack, settings })
    }
}

impl From<CreateShow> for TriviaShow {
    fn from(CreateShow { id, code, seed, pack, settings }: CreateShow) -> Self {
        Self { id, code, seed, pack, settings: settings.into() }
    }
}

impl From<TriviaShow> for BegunGame {
    fn from(TriviaShow { id, code, seed, pack, settings }: TriviaShow) -> Self {
        let (title, seats, barrier, setup) = parts(pack, settings);
        Self { id, code, seed, game: game_name(), title, seats, barrier, setup }
    }
}

impl TryFrom<&BegunGame> for TriviaShow {
    type Error = Refusal;

    /// # Errors
    /// If it is no setup of trivia, or has what is not known here.
    fn try_from(show: &BegunGame) -> Result<Self, Refusal> {
        let (pack, settings) = from_parts(&show.title, show.seats, show.barrier, &show.setup)?;
        Ok(Self { id: show.id.clone(), code: show.code.clone(), seed: show.seed, pack, settings })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::ids::{CommandId, ShowCode};

    /// What is changed in a setup.
    type Change = fn(&mut Value);

    fn create(settings: Settings) -> Create {
        let question = json!({ "text": "Right?", "choices": ["Yes", "No"], "right": 0, "category": "Science" });
        let pack = serde_json::from_value(json!({ "title": "A show", "questions": [question] })).unwrap();
        Create { id: CommandId::parse("c-1").unwrap(), code: ShowCode::parse("QUIZ42").ok(), pack, settings }
    }

    fn newer() -> Settings {
        Settings { speed_points: false, ..Settings::default() }
    }

    #[test]
    fn a_setting_that_is_at_its_default_is_not_written_and_any_other_is() {
        let settings = |of| CreateGame::from(create(of)).setup.0[SETTINGS].clone();
        for name in Settings::NEWER {
            assert_eq!(settings(Settings::default()).get(name), None);
        }
        assert_eq!(settings(newer())["speed_points"], json!(false));
        assert_eq!(settings(newer())["lives"], json!(0), "the first ones are always there");
        assert_eq!(settings(newer()).get("seats"), None, "it stands beside the setup");
    }

    #[test]
    fn what_is_not_known_here_is_refused_by_its_name() {
        let refusal = |change: Change| {
            let mut game = CreateGame::from(create(newer()));
            let mut setup = Value::Object(game.setup.0);
            change(&mut setup);
            let Value::Object(setup) = setup else { panic!("it is no object any more") };
            game.setup = Body(setup);
            Create::try_from(game).map(|_| ()).map_err(|refusal| (refusal.code, refusal.detail))
        };
        assert_eq!(refusal(|_| {}), Ok(()));
        let names: [(Change, &str); 8] = [
            (|setup| setup["settings"]["colour"] = json!(null), "`settings.colour` is not known"),
            (|setup| setup["settings"]["autopilot"]["encores"] = json!(2), "`settings.autopilot.encores` is not known"),
            (
                |setup| setup["settings"]["prize"] = json!({ "rule": "split", "by": "age" }),
                "`settings.prize.by` is not known",
            ),
            (|setup| setup["questions"][0]["picture"] = json!("a.png"), "`questions[0].picture` is not known"),
            (|setup| setup["rounds"] = json!([]), "`rounds` is not known"),
            (|setup| setup["settings"]["lives"] = json!(-1), "`settings.lives`: expected 0 to 99"),
            (|setup| setup["settings"]["seats"] = json!(7), "`settings.seats` stands beside"),
            (|setup| _ = setup.as_object_mut().unwrap().remove("questions"), "`questions` is missing"),
        ];
        for (change, told) in names {
            let (code, detail) = refusal(change).unwrap_err();
            assert_eq!(code, ErrorCode::BadSettings);
            assert!(detail.starts_with(told), "{detail}");
        }
    }

    #[test]
    fn what_may_be_left_out_may_be_null() {
        let mut game = CreateGame::from(create(Settings::default()));
        game.setup.0["settings"] = json!(null);
        game.setup.0["questions"][0]["category"] = json!(null);
        let read = Create::try_from(game).unwrap();
        assert_eq!((read.settings, &read.pack.questions[0].category), (Settings::default(), &None));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn a_show_comes_back_from_its_names(settings: Settings, speed_points: bool, seed: u64) {
            let create = create(Settings { speed_points, ..settings });
            prop_assert_eq!(&Create::try_from(CreateGame::from(create.clone())), &Ok(create.clone()));
            let Create { id, code, pack, settings } = create;
            let show = TriviaShow { id, code: code.unwrap(), seed, pack, settings };
            prop_assert_eq!(TriviaShow::try_from(&BegunGame::from(show.clone())), Ok(show));
        }
    }
}
