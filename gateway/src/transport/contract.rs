//! What every driver must do, tried with real sockets on each.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use bytes::Bytes;
use socket2::SockRef;

use super::accept::listen;
use super::driver::{Driver, SendOutcome, Slot, SocketEvent, WaitOutcome};
use super::epoll::Epoll;
use super::mailbox::{Mailbox, MailboxSender, WakeReceiver, mailbox};
use super::receive_time::{ClockPair, ReceiveTime};
use super::uring::Uring;
use super::{Timestamp, Transport};

/// Nothing takes longer here.
const PATIENCE: Duration = Duration::from_secs(20);

/// What happened, with bytes of our own.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Read(u32, Vec<u8>, ReceiveTime),
    Sent(u32),
    Closed(u32),
}

/// A driver and a listener whose sockets it is given.
struct Bench<D> {
    driver: D,
    listener: TcpListener,
    seen: Vec<Seen>,
    sender: MailboxSender<u8>,
    mailbox: Mailbox<u8>,
}

impl<D: Driver> Bench<D> {
    fn new(make: impl FnOnce(WakeReceiver) -> D) -> Self {
        let (sender, mailbox, wakeups) = mailbox().unwrap();
        let listener = listen(([127, 0, 0, 1], 0).into(), 64 << 10).unwrap();
        listener.set_nonblocking(false).unwrap();
        Self { driver: make(wakeups), listener, seen: Vec::new(), sender, mailbox }
    }

    /// A client, and its socket in the driver. What the client writes is there at once: its kernel waits for nothing (Nagle).
    fn connect(&mut self, slot: u32) -> TcpStream {
        let client = TcpStream::connect(self.listener.local_addr().unwrap()).unwrap();
        client.set_nodelay(true).unwrap();
        let (socket, _) = self.listener.accept().unwrap();
        self.driver.add(Slot(slot), socket).unwrap();
        client
    }

    fn look(&mut self, most: Duration) -> WaitOutcome {
        let seen = &mut self.seen;
        self.driver
            .wait(most, |event| {
                seen.push(match event {
                    SocketEvent::Read(slot, bytes, came) => Seen::Read(slot.0, bytes.to_vec(), came),
                    SocketEvent::Sent(slot) => Seen::Sent(slot.0),
                    SocketEvent::Closed(slot) => Seen::Closed(slot.0),
                });
            })
            .unwrap()
    }

    /// Looks until this holds of what was seen.
    fn until(&mut self, holds: impl Fn(&[Seen]) -> bool) {
        let begun = Instant::now();
        while !holds(&self.seen) {
            assert!(begun.elapsed() < PATIENCE, "it does not happen; seen: {}", self.seen.len());
            self.look(Duration::from_millis(50));
        }
    }

    /// All that was read from a slot until now.
    fn bytes(&self, slot: u32) -> Vec<u8> {
        bytes_of(&self.seen, slot)
    }

    /// Sends all of this, however long it takes.
    fn send_whole(&mut self, slot: u32, bytes: Bytes) {
        if self.driver.send(Slot(slot), bytes) == SendOutcome::Later {
            self.until(|seen| seen.contains(&Seen::Sent(slot)));
            self.seen.retain(|seen| *seen != Seen::Sent(slot));
        }
    }
}

fn bytes_of(seen: &[Seen], slot: u32) -> Vec<u8> {
    let mut all = Vec::new();
    for seen in seen {
        if let Seen::Read(of, bytes, _) = seen
            && *of == slot
        {
            all.extend_from_slice(bytes);
        }
    }
    all
}

fn bytes_come_in_their_order<D: Driver>(mut bench: Bench<D>) {
    let mut clients = [bench.connect(0), bench.connect(1)];
    let message: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    for part in message.chunks(7_000) {
        for client in &mut clients {
            client.write_all(part).unwrap();
        }
        bench.look(Duration::ZERO);
    }
    bench.until(|seen| (0..2).all(|slot| bytes_of(seen, slot).len() == message.len()));
    assert!((0..2).all(|slot| bench.bytes(slot) == message));
}

fn many_sockets_are_read_when_all_speak_at_once<D: Driver>(mut bench: Bench<D>) {
    // More than there are buffers, so that the kernel runs out of them.
    let mut clients: Vec<_> = (0..1500).map(|slot| bench.connect(slot)).collect();
    for round in 0..3_u8 {
        for client in &mut clients {
            client.write_all(&[round; 100]).unwrap();
        }
    }
    bench.until(|seen| (0..1500).map(|slot| bytes_of(seen, slot).len()).sum::<usize>() == 1500 * 300);
    let wanted: Vec<u8> = (0..3).flat_map(|round| [round; 100]).collect();
    assert!((0..1500).all(|slot| bench.bytes(slot) == wanted));
}

fn a_frame_that_the_client_does_not_take_is_sent_when_it_does<D: Driver>(mut bench: Bench<D>) {
    let mut client = bench.connect(0);
    let large: Bytes = (0..=255).cycle().take(8 << 20).collect::<Vec<u8>>().into();
    assert_eq!(bench.driver.send(Slot(0), large.clone()), SendOutcome::Later);
    bench.look(Duration::from_millis(20));
    assert_eq!(bench.seen, []);
    let wanted = large.clone();
    let reader = std::thread::spawn(move || {
        let mut got = vec![0; wanted.len()];
        client.read_exact(&mut got).unwrap();
        assert!(got == wanted);
        client
    });
    bench.until(|seen| seen == [Seen::Sent(0)]);
    let _client = reader.join().unwrap();
}

fn frames_come_out_in_the_order_of_sending<D: Driver>(mut bench: Bench<D>) {
    let mut client = bench.connect(0);
    for number in 0..100_u8 {
        bench.send_whole(0, Bytes::from(vec![number; 50]));
    }
    let mut got = vec![0; 5000];
    client.read_exact(&mut got).unwrap();
    assert!(got.chunks(50).zip(0..).all(|(frame, number)| frame == [number; 50]));
}

fn last_words_reach_a_client_that_reads_when_its_socket_is_long_closed<D: Driver>(mut bench: Bench<D>) {
    let mut client = bench.connect(0);
    let (mut frames, mut stuck) = (0_u8, false);
    while !stuck {
        frames += 1;
        if bench.driver.send(Slot(0), Bytes::from(vec![frames; 50_000])) == SendOutcome::Later {
            bench.look(Duration::from_millis(50));
            stuck = bench.seen.is_empty();
            bench.seen.clear();
        }
    }
    bench.driver.enlarge_send_buffer(Slot(0));
    bench.driver.enlarge_send_buffer(Slot(0));
    bench.until(|seen| seen == [Seen::Sent(0)]);
    bench.seen.clear();
    bench.send_whole(0, Bytes::from_static(b"last words"));
    bench.driver.shut_down_write(Slot(0));
    bench.driver.close(Slot(0));
    bench.until(|seen| seen == [Seen::Closed(0)]);
    std::thread::sleep(Duration::from_millis(300));
    let (mut got, mut wanted) = (Vec::new(), Vec::new());
    client.read_to_end(&mut got).unwrap();
    (1..=frames).for_each(|frame| wanted.extend([frame; 50_000]));
    wanted.extend(b"last words");
    assert!(got == wanted, "{} of {} bytes", got.len(), wanted.len());
}

fn a_client_that_goes_ends_its_socket_after_its_last_bytes<D: Driver>(mut bench: Bench<D>) {
    let mut client = bench.connect(0);
    client.write_all(b"last words").unwrap();
    drop(client);
    bench.until(|seen| seen.contains(&Seen::Closed(0)));
    assert_eq!(bench.bytes(0), b"last words");
    assert_eq!(bench.seen.last(), Some(&Seen::Closed(0)));
    // The slot is free.
    let mut next = bench.connect(0);
    bench.seen.clear();
    next.write_all(b"hello").unwrap();
    bench.until(|seen| bytes_of(seen, 0) == b"hello");
}

fn a_finished_socket_is_read_to_its_end<D: Driver>(mut bench: Bench<D>) {
    let mut client = bench.connect(0);
    bench.send_whole(0, Bytes::from_static(b"bye"));
    bench.driver.shut_down_write(Slot(0));
    let mut got = Vec::new();
    let mut other = client.try_clone().unwrap();
    let reader = std::thread::spawn(move || other.read_to_end(&mut got).map(|_| got));
    bench.look(Duration::from_millis(20));
    assert_eq!(reader.join().unwrap().unwrap(), b"bye");
    client.write_all(b"bye yourself").unwrap();
    client.shutdown(Shutdown::Both).unwrap();
    bench.until(|seen| seen.contains(&Seen::Closed(0)));
    assert_eq!(bench.bytes(0), b"bye yourself");
}

fn a_socket_is_closed_though_a_frame_is_on_its_way<D: Driver>(mut bench: Bench<D>) {
    let mut client = bench.connect(0);
    assert_eq!(bench.driver.send(Slot(0), vec![1; 8 << 20].into()), SendOutcome::Later);
    bench.look(Duration::from_millis(20));
    bench.driver.close(Slot(0));
    bench.driver.close(Slot(0));
    bench.until(|seen| seen.contains(&Seen::Closed(0)));
    bench.look(Duration::from_millis(20));
    assert_eq!(bench.seen, [Seen::Closed(0)]);
    let mut got = Vec::new();
    // All that had reached the kernel, or a reset; no more either way.
    let _ = client.read_to_end(&mut got);
    assert!(got.len() < 8 << 20);
}

fn a_broken_socket_ends_though_a_frame_is_on_its_way<D: Driver>(mut bench: Bench<D>) {
    let client = bench.connect(0);
    assert_eq!(bench.driver.send(Slot(0), vec![1; 8 << 20].into()), SendOutcome::Later);
    bench.look(Duration::from_millis(20));
    // With bytes unread this is a reset.
    drop(client);
    bench.until(|seen| seen.contains(&Seen::Closed(0)));
    assert_eq!(bench.seen.last(), Some(&Seen::Closed(0)));
}

fn the_waker_wakes_it_and_what_was_sent_is_taken<D: Driver>(mut bench: Bench<D>) {
    for number in 0..3 {
        let sender = bench.sender.clone();
        let waker = std::thread::spawn(move || sender.send(number));
        while !bench.look(PATIENCE).woken {}
        let mut received = Vec::new();
        assert!(!bench.mailbox.take(9, |thing| received.push(thing)));
        assert_eq!(received, [number]);
        waker.join().unwrap();
    }
    assert!(!bench.look(Duration::ZERO).woken);
}

fn what_clients_send_does_not_end_a_sleep_but_the_waker_does<D: Driver>(mut bench: Bench<D>) {
    let mut client = bench.connect(0);
    bench.look(Duration::ZERO);
    client.write_all(b"ping").unwrap();
    let (sleep, begun) = (Duration::from_millis(30), Instant::now());
    bench.driver.sleep(sleep).unwrap();
    assert!(begun.elapsed() >= sleep);
    assert_eq!(bench.seen, []);
    bench.look(Duration::ZERO);
    assert_eq!(bench.bytes(0), b"ping");
    // What was sent before a nap goes out in it: the client that has it wakes the driver.
    bench.driver.send(Slot(0), Bytes::from_static(b"pong"));
    let (sender, begun) = (bench.sender.clone(), Instant::now());
    let reader = std::thread::spawn(move || {
        client.read_exact(&mut [0; 4]).unwrap();
        sender.send(1);
        client
    });
    bench.driver.sleep(PATIENCE).unwrap();
    assert!(begun.elapsed() < PATIENCE);
    let _client = reader.join().unwrap();
    assert!(bench.look(Duration::ZERO).woken);
}

fn bytes_are_stamped_with_when_they_came_however_late_they_are_read<D: Driver>(mut bench: Bench<D>) {
    let mut client = bench.connect(0);
    let stamp = |bench: &mut Bench<D>, bytes: &[u8]| {
        bench.seen.clear();
        bench.until(|seen| bytes_of(seen, 0) == bytes);
        let Seen::Read(_, _, came) = bench.seen[0] else { panic!("{:?}", bench.seen) };
        ClockPair::read().stamp(came, Timestamp::now())
    };
    // The kernel starts to note times a moment after the first socket of the machine asked for that.
    let begun = Instant::now();
    loop {
        bench.seen.clear();
        client.write_all(b"x").unwrap();
        bench.until(|seen| !seen.is_empty());
        if matches!(bench.seen[0], Seen::Read(_, _, ReceiveTime { received: Some(_), .. })) {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "the kernel notes no times");
    }
    let before = Timestamp::now();
    client.write_all(b"first").unwrap();
    let between = Timestamp::now();
    std::thread::sleep(Duration::from_millis(30));
    let first = stamp(&mut bench, b"first");
    // Loopback hands it over within the write.
    assert!(before.0 <= first.0 + 1000 && first.0 <= between.0 + 1000, "{before:?} {first:?} {between:?}");
    client.write_all(b"second").unwrap();
    let second = stamp(&mut bench, b"second");
    assert!(second.0 + 1000 >= between.0 + 30_000);
}

/// So that no socket waits for its turn, and no stamp or barrier, because others never stop talking.
fn all_that_came_is_read_by_the_moment_that_is_told_though_the_sockets_never_fall_quiet<D: Driver>(
    mut bench: Bench<D>,
) {
    // More than one look tells of.
    let mut clients: Vec<_> = (0..1500).map(|slot| bench.connect(slot)).collect();
    for round in 0..5_u8 {
        bench.seen.clear();
        for client in &mut clients {
            client.write_all(&[round]).unwrap();
        }
        let (came, begun) = (Timestamp::now(), Instant::now());
        let mut looks = 0;
        loop {
            for client in clients.iter_mut().skip(looks % 7).step_by(7) {
                client.write_all(&[round]).unwrap();
            }
            looks += 1;
            if bench.look(Duration::ZERO).read_to > came {
                break;
            }
            assert!(begun.elapsed() < PATIENCE, "the moment does not move on");
        }
        let mut received = vec![false; clients.len()];
        for seen in &bench.seen {
            if let Seen::Read(slot, bytes, _) = seen {
                received[*slot as usize] |= bytes.contains(&round);
            }
        }
        assert!(
            received.iter().all(|received| *received),
            "{} are unread",
            received.iter().filter(|received| !**received).count()
        );
    }
}

/// A ring receives what is larger than a buffer in several turns, and puts off one of 33 of them to the end of its queue. How many
/// sockets stand in the queue before that decides whether it comes behind the end of a round.
fn what_takes_several_reads_is_read_by_the_moment_that_is_told<D: Driver>(mut bench: Bench<D>) {
    let mut long: Vec<_> = (0..8).map(|slot| bench.connect(slot)).collect();
    let mut short: Vec<_> = (8..50).map(|slot| bench.connect(slot)).collect();
    let message = [7; 31_000];
    for number in 0..126 {
        // Until the driver would look round all sockets again, if it does that now and then.
        let quiet = Timestamp::now();
        while bench.look(Duration::from_millis(3)).read_to <= quiet {}
        std::thread::sleep(Duration::from_millis(2));
        bench.seen.clear();
        for client in short.iter_mut().take(number % 42) {
            client.write_all(b"x").unwrap();
        }
        for client in &mut long {
            client.write_all(&message).unwrap();
        }
        let (came, begun) = (Timestamp::now(), Instant::now());
        while bench.look(Duration::ZERO).read_to <= came {
            assert!(begun.elapsed() < PATIENCE, "the moment does not move on");
        }
        let lengths: Vec<usize> = (0..8).map(|slot| bench.bytes(slot).len()).collect();
        assert!(lengths.iter().all(|&length| length == message.len()), "of message {number}: {lengths:?}");
    }
}

fn nothing_that_is_read_came_before_a_look_that_did_not_bring_it<D: Driver>(mut bench: Bench<D>) {
    let mut client = bench.connect(0);
    let begun = Instant::now();
    let empty = Timestamp::now();
    while bench.look(Duration::ZERO).read_to <= empty {
        assert!(begun.elapsed() < PATIENCE, "the moment does not move on");
    }
    client.write_all(b"whole").unwrap();
    bench.until(|seen| !seen.is_empty());
    let Seen::Read(_, _, came) = bench.seen[0] else { panic!("{:?}", bench.seen) };
    assert!(came.not_before > empty && came.not_before <= Timestamp::now());
}

fn urgent_bytes_are_bytes_in_their_place<D: Driver>(mut bench: Bench<D>) {
    let mut client = bench.connect(0);
    client.write_all(b"ab").unwrap();
    SockRef::from(&client).send_out_of_band(b"c").unwrap();
    bench.until(|seen| bytes_of(seen, 0).ends_with(b"c"));
    client.write_all(b"d").unwrap();
    SockRef::from(&client).send_out_of_band(b"e").unwrap();
    client.write_all(b"f").unwrap();
    bench.until(|seen| bytes_of(seen, 0).ends_with(b"f"));
    assert_eq!(bench.bytes(0), b"abcdef");
}

macro_rules! contract {
    ($($test:ident)*) => {
        mod by_readiness {
            use super::*;
            $(#[test] fn $test() { super::$test(Bench::new(|wakeups| Epoll::new(wakeups).unwrap())); })*
        }
        mod by_completion {
            use super::*;
            $(#[test] fn $test() {
                if Transport::IoUring.choose().is_ok() {
                    super::$test(Bench::new(|wakeups| Uring::new(wakeups).unwrap()));
                } else {
                    eprintln!("not tried: there is no io_uring here");
                }
            })*
        }
    };
}

contract! {
    bytes_come_in_their_order
    many_sockets_are_read_when_all_speak_at_once
    a_frame_that_the_client_does_not_take_is_sent_when_it_does
    frames_come_out_in_the_order_of_sending
    last_words_reach_a_client_that_reads_when_its_socket_is_long_closed
    a_client_that_goes_ends_its_socket_after_its_last_bytes
    a_finished_socket_is_read_to_its_end
    a_socket_is_closed_though_a_frame_is_on_its_way
    a_broken_socket_ends_though_a_frame_is_on_its_way
    the_waker_wakes_it_and_what_was_sent_is_taken
    what_clients_send_does_not_end_a_sleep_but_the_waker_does
    bytes_are_stamped_with_when_they_came_however_late_they_are_read
    all_that_came_is_read_by_the_moment_that_is_told_though_the_sockets_never_fall_quiet
    what_takes_several_reads_is_read_by_the_moment_that_is_told
    nothing_that_is_read_came_before_a_look_that_did_not_bring_it
    urgent_bytes_are_bytes_in_their_place
}
