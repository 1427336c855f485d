//! The recorder behind `/metrics`.

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use crate::link::metrics_table;

/// Upper bounds of the histograms' buckets, in seconds: from the time of a claim in memory to a delay that players
/// notice.
const SECONDS: &[f64] =
    &[0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

/// A recorder for all metrics of the process, not installed yet. Metrics whose names end in `_seconds` become
/// histograms.
///
/// # Errors
/// Never with the buckets above; the exporter checks them.
pub fn recorder() -> Result<PrometheusRecorder, BuildError> {
    Ok(PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".into()), SECONDS)?.build_recorder())
}

/// Installs a recorder as the process's global one, and returns its handle.
///
/// # Errors
/// If the process has a recorder already.
pub fn install() -> anyhow::Result<PrometheusHandle> {
    let recorder = recorder()?;
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder).map_err(|_| anyhow::anyhow!("this process records its metrics already"))?;
    metrics_table::describe();
    Ok(handle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_shown_with_their_meaning() {
        let recorder = recorder().unwrap();
        metrics::with_local_recorder(&recorder, || {
            metrics_table::describe();
            metrics::gauge!("klaxon_hosts").set(2.0);
            metrics::histogram!("klaxon_answer_seconds").record(0.003);
        });
        let shown = recorder.handle().render();
        assert!(shown.contains("# HELP klaxon_hosts Hosts connected to the admin socket"), "{shown}");
        assert!(shown.contains("klaxon_hosts 2"), "{shown}");
        assert!(shown.contains("klaxon_answer_seconds_bucket{le=\"0.005\"} 1"), "{shown}");
    }
}
