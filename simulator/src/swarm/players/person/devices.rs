//! A player's devices: connecting, reconnecting, joining, heartbeats, sending.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use klaxon_protocol::player::{FromPlayer, Join, Ping, Welcome};
use rand::RngExt;
use tokio::task::JoinError;

use super::super::actions::Device;
use super::super::connection::PlayerConnection;
use super::{Chore, Person, Phone, local};
use crate::evidence::GatewayNumber;

/// The shortest and the longest delay before a reconnect.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// The time limit for the reply to a join.
const JOIN_PATIENCE: Duration = Duration::from_secs(10);

impl Person {
    pub(super) fn slot(&mut self, device: Device) -> &mut Option<Phone> {
        match device {
            Device::First => &mut self.first,
            Device::Second => &mut self.second,
        }
    }

    /// Whether this device was welcomed.
    pub(super) fn is_in(&mut self, device: Device) -> bool {
        self.slot(device).as_ref().is_some_and(|phone| phone.welcomed)
    }

    pub(super) fn lose(&mut self, device: Device) -> Option<Phone> {
        let lost = self.slot(device).take();
        if lost.is_some() {
            self.world.progress.connected.fetch_sub(1, Ordering::Relaxed);
        }
        lost
    }

    pub(super) const fn gateway(&self, device: Device) -> GatewayNumber {
        match device {
            Device::First => self.gateways[0],
            Device::Second => self.gateways[1],
        }
    }

    /// Chooses the gateway for the next connection: `named`, or else a random other one than last time.
    pub(super) fn choose_gateway(&mut self, device: Device, named: Option<GatewayNumber>) {
        let last = self.gateway(device);
        let next = named.unwrap_or_else(|| self.world.gateways.any_other(last, &mut self.rng));
        match device {
            Device::First => self.gateways[0] = next,
            Device::Second => self.gateways[1] = next,
        }
    }

    /// Reconnects at another gateway after a delay, which grows with each failure and is random, so that players don't
    /// reconnect all at once.
    pub(super) fn come_back(&mut self, device: Device) {
        self.lose(device);
        self.choose_gateway(device, None);
        let doubled = BACKOFF.0 * 2_u32.saturating_pow(self.failures.min(10));
        self.failures += 1;
        let wait = doubled.min(BACKOFF.1).mul_f64(self.rng.random_range(0.5..1.0));
        self.later(wait, Chore::Open(device));
    }

    /// Starts to connect, and to join or rejoin.
    pub(super) fn open(&mut self, device: Device) {
        self.lose(device);
        let world = Arc::clone(&self.world);
        let gateway = self.gateway(device);
        let (number, codec, honest) = (self.plan.number, self.plan.codec, self.plan.habits.honest());
        let join = FromPlayer::Join(Join {
            show: world.code.clone(),
            name: Some(self.plan.name.clone()),
            role: self.plan.role,
            token: None,
            resume: self.token.clone(),
        });
        self.openings.spawn(async move {
            let page = || world.ledger.open(number, gateway, codec, honest);
            let (address, patience) = (world.gateways.address(gateway), world.gateways.patience());
            let Ok(mut connection) = PlayerConnection::open(address, patience, codec, page).await else {
                return (device, None);
            };
            let sent = connection.send(&join).await;
            (device, sent.is_ok().then_some(connection))
        });
    }

    pub(super) async fn opened(&mut self, opened: Result<(Device, Option<PlayerConnection>), JoinError>) {
        let Ok((device, connection)) = opened else { return };
        let Some(connection) = connection else { return self.come_back(device) };
        self.lose(device);
        *self.slot(device) = Some(Phone { connection, welcomed: false });
        self.world.progress.connected.fetch_add(1, Ordering::Relaxed);
        self.send(device, &FromPlayer::Ping(Ping { sent: local() })).await;
        self.later(JOIN_PATIENCE, Chore::GiveUp(device));
    }

    pub(super) fn give_up(&mut self, device: Device) {
        if self.slot(device).as_ref().is_some_and(|phone| !phone.welcomed) {
            self.come_back(device);
        }
    }

    pub(super) fn welcome(&mut self, device: Device, welcome: &Welcome) {
        if let Some(phone) = self.slot(device) {
            phone.welcomed = true;
        }
        self.shown = device;
        self.failures = 0;
        self.offset = welcome.now.0.cast_signed() - local().0.cast_signed();
        self.heartbeat = (welcome.heartbeat.to_std() / 3).max(Duration::from_secs(1));
        self.token = Some(welcome.resume.clone());
        self.world.keep_token(self.plan.number, &welcome.resume);
        if !self.plan.habits.hidden_tab {
            self.later(self.heartbeat, Chore::Beat);
        }
        if self.plan.habits.two_devices && self.second.is_none() && device == Device::First {
            let wait = Duration::from_millis(self.rng.random_range(100..1000));
            self.later(wait, Chore::Open(Device::Second));
        }
    }

    /// Sends a heartbeat on each connected device.
    pub(super) async fn beat(&mut self) {
        for device in [Device::First, Device::Second] {
            self.send(device, &FromPlayer::Ping(Ping { sent: local() })).await;
        }
        self.later(self.heartbeat, Chore::Beat);
    }

    /// Sends a message on a device, if it is connected.
    pub(super) async fn send(&mut self, device: Device, message: &FromPlayer) {
        self.send_bytes(device, self.plan.codec.encode(message)).await;
    }

    pub(super) async fn send_bytes(&mut self, device: Device, bytes: Vec<u8>) {
        if let Some(phone) = self.slot(device)
            && phone.connection.send_bytes(bytes).await.is_err()
        {
            self.come_back(device);
        }
    }
}
