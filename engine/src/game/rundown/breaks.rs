//! A break: a text on all screens, without rounds.

use klaxon_protocol::games::rundown::{Break, Event};
use klaxon_protocol::player::Body;
use klaxon_protocol::time::{Millis, Span};
use serde_json::json;

use super::interlude::Interlude;
use super::{Stage, hash};

/// A break.
pub struct Breaks {
    settings: Break,
    began_at: Option<Millis>,
}

impl Breaks {
    pub const fn new(settings: Break) -> Self {
        Self { settings, began_at: None }
    }
}

impl Interlude for Breaks {
    const NAME: &str = "break";

    fn begin(&mut self, stage: &mut Stage<'_>) {
        self.began_at = Some(stage.now);
        let Break { text, lasts } = self.settings.clone();
        stage.tell_between(Event::Break { text, lasts }, None);
    }

    fn lasts(&self) -> Span {
        self.settings.lasts
    }

    fn view(&self) -> Body {
        Body::of(&json!({ "text": self.settings.text, "for": self.settings.lasts, "began_at": self.began_at }))
    }

    fn digest(&self) -> u64 {
        hash(&self.began_at)
    }
}
