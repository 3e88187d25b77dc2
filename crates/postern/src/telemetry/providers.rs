//! What is counted of each mail provider. Their names are the operator's, at most 16 at a time; a
//! provider's series are found once, when its connections are made.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::mail::Outcome;

/// Every [`Outcome::as_str`].
const OUTCOMES: [&str; 5] = ["sent", "bounced", "provider_trouble", "retry", "unsure"];

type Labels = Vec<(&'static str, String)>;

/// The series of all providers.
#[derive(Debug, Default)]
pub(super) struct ProviderSeries {
    tries: Family<Labels, Counter>,
    opened: Family<Labels, Counter>,
    open: Family<Labels, Gauge>,
    probes: Family<Labels, Counter>,
}

impl ProviderSeries {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let series = Self::default();
        registry.register(
            "provider_tries",
            "Mails handed to a provider, by outcome",
            series.tries.clone(),
        );
        registry.register(
            "provider_circuit_opened",
            "Times that a provider was left alone for its trouble",
            series.opened.clone(),
        );
        registry.register(
            "provider_circuit_open",
            "1 while a provider is left alone for its trouble",
            series.open.clone(),
        );
        registry.register(
            "provider_circuit_probes",
            "Mails by which a provider that was left alone was tried again",
            series.probes.clone(),
        );
        series
    }

    pub(super) fn of(&self, name: &str) -> ProviderMeter {
        let tries =
            |outcome: &'static str| self.tries.get_or_create_owned(&labels(name, Some(outcome)));
        ProviderMeter {
            tries: OUTCOMES.map(tries),
            opened: self.opened.get_or_create_owned(&labels(name, None)),
            open: self.open.get_or_create_owned(&labels(name, None)),
            probes: self.probes.get_or_create_owned(&labels(name, None)),
        }
    }

    pub(super) fn forget(&self, name: &str) {
        for outcome in OUTCOMES {
            self.tries.remove(&labels(name, Some(outcome)));
        }
        self.opened.remove(&labels(name, None));
        self.open.remove(&labels(name, None));
        self.probes.remove(&labels(name, None));
    }
}

fn labels(name: &str, outcome: Option<&'static str>) -> Labels {
    let mut labels = vec![("provider", name.to_owned())];
    labels.extend(outcome.map(|outcome| ("outcome", outcome.to_owned())));
    labels
}

/// The series of one provider.
#[derive(Debug)]
pub struct ProviderMeter {
    tries: [Counter; 5],
    opened: Counter,
    open: Gauge,
    probes: Counter,
}

impl ProviderMeter {
    /// A mail was handed to it and that ended so.
    pub fn tried(&self, outcome: &Outcome) {
        let place = OUTCOMES.iter().position(|one| *one == outcome.as_str());
        if let Some(place) = place {
            self.tries[place].inc();
        }
    }

    /// It is left alone from now on.
    pub fn opened(&self) {
        self.open.set(1);
        self.opened.inc();
    }

    /// One mail tries whether it works again.
    pub fn probed(&self) {
        self.probes.inc();
    }

    /// It works again.
    pub fn closed(&self) {
        self.open.set(0);
    }
}
