//! Whether a provider should be tried at the moment: its circuit and its rate.

use std::sync::{Mutex, MutexGuard, PoisonError};

use postern_core::model::Timestamp;
use tracing::{info, warn};

use super::Outcome;
use super::breaker::Breaker;
use super::health::Health;
use super::rate::Rate;
use crate::telemetry::metrics::ProviderMeter;

/// What stands before a provider. One that was made by [`Gate::open`] lets everything pass.
#[derive(Debug)]
pub struct Gate {
    watched: Option<Watched>,
}

#[derive(Debug)]
struct Watched {
    name: String,
    state: Mutex<State>,
    meter: ProviderMeter,
}

#[derive(Debug)]
struct State {
    breaker: Breaker,
    rate: Option<Rate>,
    health: Health,
}

/// Why a mail may not pass at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shut {
    /// From when on it is worth to ask again.
    pub until: Timestamp,
    /// Whether that is for trouble, and not for the rate limit.
    pub trouble: bool,
}

impl Gate {
    /// A gate that is always open.
    pub fn open() -> Self {
        Self { watched: None }
    }

    /// A gate with a circuit breaker and perhaps a rate limit before the provider called `name`.
    pub fn watching(name: &str, per_minute: Option<u32>, meter: ProviderMeter) -> Self {
        let state = State {
            breaker: Breaker::default(),
            rate: per_minute.map(Rate::new),
            health: Health::default(),
        };
        Self {
            watched: Some(Watched {
                name: name.to_owned(),
                state: Mutex::new(state),
                meter,
            }),
        }
    }

    /// Lets one mail pass and counts it, or says when to ask again.
    ///
    /// # Errors
    /// It is shut.
    pub fn pass(&self, now: Timestamp) -> Result<(), Shut> {
        let Some(watched) = &self.watched else {
            return Ok(());
        };
        let mut state = watched.state();
        if let Some(until) = state.rate.and_then(|rate| rate.full_until(now)) {
            return Err(Shut {
                until,
                trouble: false,
            });
        }
        let admitted = state.breaker.admit(now);
        let probe = admitted.map_err(|until| Shut {
            until,
            trouble: true,
        })?;
        if let Some(rate) = &mut state.rate {
            rate.take(now);
        }
        if probe {
            watched.meter.probed();
            info!(
                provider = watched.name,
                "mail provider was left alone: one mail tries whether it works again"
            );
        }
        Ok(())
    }

    /// Whether a mail would pass, without counting it.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.watched
            .as_ref()
            .is_none_or(|watched| watched.state().shut(now).is_none())
    }

    /// How the provider fares; nothing is known of one that is not watched.
    pub fn health(&self, now: Timestamp) -> Health {
        let Some(watched) = &self.watched else {
            return Health::default();
        };
        let state = watched.state();
        Health {
            shut: state.shut(now),
            ..state.health.clone()
        }
    }

    /// Takes note of how a mail that passed fared.
    pub fn note(&self, outcome: &Outcome, now: Timestamp) {
        let Some(watched) = &self.watched else { return };
        watched.meter.tried(outcome);
        watched.state().health.note(outcome, now);
        if outcome.is_trouble() {
            watched.troubled(outcome, now);
        } else {
            watched.works();
        }
    }
}

impl State {
    fn shut(&self, now: Timestamp) -> Option<Shut> {
        let shut = |trouble| move |until| Shut { until, trouble };
        let full = self.rate.and_then(|rate| rate.full_until(now));
        let down = self.breaker.shut_until(now).map(shut(true));
        down.or(full.map(shut(false)))
    }
}

impl Watched {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn troubled(&self, outcome: &Outcome, now: Timestamp) {
        let Some(pause) = self.state().breaker.troubled(now) else {
            return;
        };
        self.meter.opened();
        let (provider, pause_s) = (&self.name, pause.as_secs());
        let (stage, code) = (outcome.reply().stage.as_str(), outcome.reply().code);
        warn!(
            provider,
            pause_s, stage, code, "mail provider in trouble: left alone for a while"
        );
    }

    fn works(&self) {
        if self.state().breaker.works() {
            self.meter.closed();
            info!(provider = self.name, "mail provider works again");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use super::*;
    use crate::mail::{Reply, Stage};
    use crate::telemetry::metrics::{Gauges, Metrics};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix_seconds(1_795_379_460 + second)
    }

    /// What a subscriber wrote.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(text)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn log_and_metrics_are_told_that_a_provider_is_left_alone_is_probed_and_works_again() {
        let metrics = Metrics::new();
        let gate = Gate::watching("main", None, metrics.provider("main"));
        let counted = |series: &str, value: u8| {
            let line = format!("postern_provider_circuit_{series}{{provider=\"main\"}} {value}\n");
            let text = metrics.render(Gauges::default());
            assert!(text.contains(&line), "{line}{text}");
        };
        let reply = |code| Reply::new(Stage::Auth, code, "said <ada@example.com>", &[]);
        let (trouble, sent) = (
            Outcome::ProviderTrouble(reply(Some(535))),
            Outcome::Sent(reply(Some(250))),
        );
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            while gate.pass(at(0)).is_ok() {
                gate.note(&trouble, at(0));
            }
            counted("open", 1);
            counted("probes_total", 0);
            assert!(gate.pass(at(6)).is_ok(), "half-open, it lets a probe pass");
            assert!(gate.pass(at(6)).is_err(), "and nobody else");
            counted("open", 1);
            counted("probes_total", 1);
            gate.note(&sent, at(6));
            counted("open", 0);
            counted("opened_total", 1);
            assert!(gate.pass(at(6)).is_ok());
        });
        let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        let told: Vec<&str> = log.lines().collect();
        assert_eq!(told.len(), 3, "{log}");
        for said in [
            "left alone",
            "provider=\"main\"",
            "pause_s=5",
            "stage=\"auth\"",
            "code=535",
        ] {
            assert!(told[0].contains(said), "{said}: {log}");
        }
        assert!(told[1].contains("one mail tries"), "{log}");
        assert!(told[2].contains("mail provider works again"), "{log}");
        assert!(!log.contains("ada"), "{log}");
    }
}
