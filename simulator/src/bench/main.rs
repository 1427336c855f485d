//! `klaxon-bench`: what the transport costs, beside the floor and beside a server as people write it first.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use klaxon_simulator::bench::contestant::{Contestant, Journal, Kind, Launch};
use klaxon_simulator::bench::{customary, fan_out, floor, kernel, load, statistics};

#[derive(Debug, Parser)]
struct Args {
    #[command(subcommand)]
    part: Option<Part>,
    #[arg(long, default_value = "10000")]
    players: usize,
    #[arg(long, default_value = "15")]
    rounds: usize,
    #[arg(long)]
    klaxon: Option<PathBuf>,
}

/// What the bench starts itself as.
#[derive(Debug, Subcommand)]
enum Part {
    /// The floor.
    #[command(hide = true)]
    ServeFloor { listen: SocketAddr },
    /// The server as people write it first.
    #[command(hide = true)]
    ServeCustomary { listen: SocketAddr },
    /// A load.
    #[command(hide = true)]
    Load {
        #[arg(long)]
        core: Option<usize>,
    },
}

fn main() -> ExitCode {
    let args = Args::parse();
    match run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("klaxon-bench: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(args: Args) -> anyhow::Result<()> {
    match args.part {
        Some(Part::ServeFloor { listen }) => Ok(floor::serve(listen)?),
        Some(Part::ServeCustomary { listen }) => {
            Ok(tokio::runtime::Runtime::new()?.block_on(customary::serve(listen))?)
        }
        Some(Part::Load { core }) => {
            if let Some(core) = core {
                kernel::bind_to(core)?;
            }
            Ok(load::obey()?)
        }
        None => tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(bench(&args)),
    }
}

async fn bench(args: &Args) -> anyhow::Result<()> {
    kernel::bind_to(1)?;
    let launch = Launch {
        klaxon: args.klaxon.clone().unwrap_or(std::env::current_exe()?.with_file_name("klaxon")),
        has_transports: false,
        server_cores: "0".into(),
        load_core: Some(1),
        shards: 1,
        journal: Journal::Memory,
        heartbeat: None,
    };
    let mut contestants = Vec::new();
    for kind in [Kind::Floor, Kind::Portable, Kind::Customary] {
        let mut contestant = Contestant::start(&launch, kind).await?;
        contestant.join(args.players).await?;
        contestants.push(contestant);
    }
    let all = fan_out::measure(&mut contestants, 3, args.rounds, || {}).await?;
    for (contestant, figures) in contestants.iter().zip(&all) {
        let processor = statistics::Sample::of(&figures.processor);
        let ratio = statistics::ratio(&figures.processor, &all[0].processor);
        println!("{:<30} {processor:.2?} {ratio:.2?} {:.1?}", contestant.kind, statistics::Sample::of(&figures.last));
    }
    Ok(())
}
