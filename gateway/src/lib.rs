//! Klaxon's sockets: everything between players' and hosts' phones and the engine.

pub mod settings;
