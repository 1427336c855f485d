//! The recorder behind `/metrics`, and the descriptions of what hosts' connections count.

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

/// Upper bounds of the histograms' buckets, in seconds: from what a memory claim takes to what a player notices.
const SECONDS: &[f64] =
    &[0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

/// The kinds of figures.
enum Kind {
    Counter,
    Gauge,
}

/// Every figure of the hosts' side with its meaning.
const FIGURES: &[(Kind, &str, &str)] = &[
    (Kind::Gauge, "klaxon_hosts", "Hosts connected to the admin socket."),
    (Kind::Counter, "klaxon_host_messages_total", "Messages of hosts that were understood."),
    (Kind::Counter, "klaxon_hosts_shed_total", "Hosts whose connection was closed because they could not keep up."),
    (Kind::Counter, "klaxon_admin_unauthorized_total", "Requests to the admin port without the admin token."),
];

/// A recorder for all of the process's figures, not yet installed. Names that end in `_seconds` become histograms.
///
/// # Errors
/// Never with the buckets above; the exporter checks them.
pub fn recorder() -> Result<PrometheusRecorder, BuildError> {
    Ok(PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".into()), SECONDS)?.build_recorder())
}

/// Makes a recorder the process's one and gives its handle.
///
/// # Errors
/// If the process has one already.
pub fn install() -> anyhow::Result<PrometheusHandle> {
    let recorder = recorder()?;
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder).map_err(|_| anyhow::anyhow!("this process records its metrics already"))?;
    describe();
    Ok(handle)
}

/// Gives the installed recorder the meaning of the hosts' side's figures.
fn describe() {
    for (kind, name, help) in FIGURES {
        match kind {
            Kind::Counter => metrics::describe_counter!(*name, *help),
            Kind::Gauge => metrics::describe_gauge!(*name, *help),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_shown_with_their_meaning() {
        let recorder = recorder().unwrap();
        metrics::with_local_recorder(&recorder, || {
            describe();
            metrics::gauge!("klaxon_hosts").set(2.0);
            metrics::histogram!("klaxon_answer_seconds").record(0.003);
        });
        let shown = recorder.handle().render();
        assert!(shown.contains("# HELP klaxon_hosts Hosts connected to the admin socket."), "{shown}");
        assert!(shown.contains("klaxon_hosts 2"), "{shown}");
        assert!(shown.contains("klaxon_answer_seconds_bucket{le=\"0.005\"} 1"), "{shown}");
    }

    #[test]
    fn every_figure_of_this_side_is_described() {
        let sources = [include_str!("hosts.rs"), include_str!("socket.rs"), include_str!("mod.rs")].concat();
        let used: Vec<&str> = sources
            .split("metrics::")
            .filter_map(|rest| rest.strip_prefix("counter!(\"").or_else(|| rest.strip_prefix("gauge!(\"")))
            .filter_map(|rest| rest.split('"').next())
            .collect();
        assert!(!used.is_empty());
        for name in &used {
            assert!(FIGURES.iter().any(|(_, described, _)| described == name), "{name} is not described");
        }
        for (_, described, _) in FIGURES {
            assert!(used.contains(described), "{described} is not recorded");
        }
    }
}
