//! Counters, gauges and histograms, and their Prometheus text.
//!
//! Every label is a closed enum and every series exists from the start, so that counting on the
//! hot path is an array index and an atomic add: no map, no lock, no allocation. Gauges are set
//! when somebody asks for them.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use postern_core::model::HookProvider;
use postern_core::rules::DomainRule;
use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::labels::{Attempt, Door, Label, Method, Outcome, RedeemVerdict, Told};
pub use super::providers::ProviderMeter;
use super::providers::ProviderSeries;

/// Upper bounds of the latency buckets, in seconds: 250 µs to 10 s.
const LATENCY_BUCKETS: [f64; 14] = [
    0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 10.0,
];

/// Upper bounds of the buckets of the time until a mail is sent, in seconds: 5 ms to 5 min.
const SENT_BUCKETS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 120.0, 300.0,
];

type Labels = Vec<(&'static str, &'static str)>;
type Seconds = Gauge<f64, AtomicU64>;

/// Everything the process counts.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Vec<Counter>,
    latency: Vec<Histogram>,
    redeems: Vec<Counter>,
    attempts: Vec<Counter>,
    time_to_sent: Histogram,
    providers: ProviderSeries,
    budgets_passed: Counter,
    domain_rules: Vec<(Counter, Counter)>,
    hooks: Vec<Counter>,
    outbox_depth: Gauge,
    outbox_oldest: Seconds,
    store_queue: Gauge,
    snapshot_age: Seconds,
}

/// Values read at the moment of a scrape.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Gauges {
    /// Deliveries that wait to be sent.
    pub outbox_depth: u64,
    /// Age of the oldest of them; zero when there is none.
    pub outbox_oldest: Duration,
    /// Acts that wait for the store's writer.
    pub store_queue: u64,
    /// Age of the snapshot of settings and clients that callers are judged by.
    pub snapshot_age: Duration,
}

impl Metrics {
    /// Every series, at zero.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("postern");
        let mut all = Names(&mut registry);
        Self {
            requests: all.requests(),
            latency: all.latency(),
            redeems: all.each::<RedeemVerdict>("redeem_verdicts", "Proofs judged, by verdict"),
            attempts: all.each::<Attempt>(
                "delivery_attempts",
                "Attempts to hand a mail on, by outcome",
            ),
            time_to_sent: all.time_to_sent(),
            providers: ProviderSeries::register(all.0),
            budgets_passed: all.one(
                "guess_budgets_passed",
                "Addresses that passed their guess budget",
            ),
            domain_rules: all.domain_rules(),
            hooks: all.hooks(),
            outbox_depth: all.one("outbox_depth", "Deliveries waiting"),
            outbox_oldest: all.one(
                "outbox_oldest_age_seconds",
                "Age of the oldest waiting delivery",
            ),
            store_queue: all.one("store_queue_depth", "Acts waiting for the writer"),
            snapshot_age: all.one("snapshot_age_seconds", "Age of the settings in force"),
            registry,
        }
    }

    /// Counts one answered call and the time it took.
    pub fn request(&self, method: Method, door: Door, outcome: Outcome, took: Duration) {
        let call = method.index() * Door::ALL.len() + door.index();
        self.requests[call * Outcome::ALL.len() + outcome.index()].inc();
        self.latency[call].observe(took.as_secs_f64());
    }

    /// Counts one judged proof.
    pub fn redeem(&self, verdict: RedeemVerdict) {
        self.redeems[verdict.index()].inc();
    }

    /// Counts one attempt to hand a mail to its transport, by how it ended.
    pub fn attempt(&self, outcome: Attempt) {
        self.attempts[outcome.index()].inc();
    }

    /// Counts a mail that a provider took, so long after it was queued.
    pub fn sent_after(&self, queued: Duration) {
        self.time_to_sent.observe(queued.as_secs_f64());
    }

    /// The series of the provider called `name`; they exist from now on.
    pub fn provider(&self, name: &str) -> ProviderMeter {
        self.providers.of(name)
    }

    /// Ends the series of a provider that was removed.
    pub fn forget_provider(&self, name: &str) {
        self.providers.forget(name);
    }

    /// Counts an address passing its guess budget for the first time.
    pub fn guess_budget_passed(&self) {
        self.budgets_passed.inc();
    }

    /// Counts what a callback of a mail provider told.
    pub fn hook(&self, provider: HookProvider, told: Told) {
        self.hooks[provider as usize * Told::ALL.len() + told.index()].inc();
    }

    /// Takes over how often a domain rule refused a call, and let one pass in log-only mode, since
    /// the start.
    pub fn domain_rule(&self, rule: DomainRule, refused: u64, logged: u64) {
        let (counted_refused, counted_logged) = &self.domain_rules[rule as usize];
        counted_refused.inc_by(refused.saturating_sub(counted_refused.get()));
        counted_logged.inc_by(logged.saturating_sub(counted_logged.get()));
    }

    /// The Prometheus (OpenMetrics) text of everything, with `gauges` as read just now.
    ///
    /// # Panics
    /// Never: writing to a `String` does not fail.
    pub fn render(&self, gauges: Gauges) -> String {
        self.outbox_depth.set(gauges.outbox_depth.cast_signed());
        self.outbox_oldest.set(gauges.outbox_oldest.as_secs_f64());
        self.store_queue.set(gauges.store_queue.cast_signed());
        self.snapshot_age.set(gauges.snapshot_age.as_secs_f64());
        let mut out = String::with_capacity(32 * 1024);
        text::encode(&mut out, &self.registry).expect("writing to a String does not fail");
        out
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// Registers series under their names.
struct Names<'a>(&'a mut Registry);

impl Names<'_> {
    fn one<M>(&mut self, name: &str, help: &str) -> M
    where
        M: prometheus_client::registry::Metric + Clone + Default,
    {
        let metric = M::default();
        self.0.register(name, help, metric.clone());
        metric
    }

    fn each<L: Label>(&mut self, name: &str, help: &str) -> Vec<Counter> {
        let family: Family<Labels, Counter> = self.one(name, help);
        let one = |label: &L| family.get_or_create_owned(&vec![label.pair()]);
        L::ALL.iter().map(one).collect()
    }

    fn hooks(&mut self) -> Vec<Counter> {
        let help = "What callbacks of mail providers told";
        let family: Family<Labels, Counter> = self.one("mail_callbacks", help);
        let each = |provider: HookProvider| {
            let labels = move |told: &Told| vec![("provider", provider.as_str()), told.pair()];
            Told::ALL.iter().map(labels)
        };
        HookProvider::ALL
            .into_iter()
            .flat_map(each)
            .map(|labels| family.get_or_create_owned(&labels))
            .collect()
    }

    fn domain_rules(&mut self) -> Vec<(Counter, Counter)> {
        let family: Family<Labels, Counter> = self.one(
            "domain_rule_matches",
            "Calls that a domain rule spoke against",
        );
        let one = |rule: DomainRule, action| {
            family.get_or_create_owned(&vec![("rule", rule.as_str()), ("action", action)])
        };
        let both = |rule| (one(rule, "refused"), one(rule, "logged"));
        DomainRule::ALL.into_iter().map(both).collect()
    }

    fn requests(&mut self) -> Vec<Counter> {
        let family: Family<Labels, Counter> = self.one("requests", "Calls answered, by outcome");
        let outcomes = |(method, door): (Method, Door)| {
            let labels = move |outcome: &Outcome| vec![method.pair(), door.pair(), outcome.pair()];
            Outcome::ALL.iter().map(labels)
        };
        every_call()
            .flat_map(outcomes)
            .map(|labels| family.get_or_create_owned(&labels))
            .collect()
    }

    fn time_to_sent(&mut self) -> Histogram {
        let histogram = Histogram::new(SENT_BUCKETS);
        let help = "Time from queueing a mail to a provider taking it";
        self.0
            .register("mail_time_to_sent_seconds", help, histogram.clone());
        histogram
    }

    fn latency(&mut self) -> Vec<Histogram> {
        let family =
            Family::<Labels, Histogram>::new_with_constructor(|| Histogram::new(LATENCY_BUCKETS));
        self.0.register(
            "request_duration_seconds",
            "Time from head to answer",
            family.clone(),
        );
        let one = |(method, door): (Method, Door)| {
            family.get_or_create_owned(&vec![method.pair(), door.pair()])
        };
        every_call().map(one).collect()
    }
}

/// Every method at every door, in the order of the index that `request` computes.
fn every_call() -> impl Iterator<Item = (Method, Door)> {
    Method::ALL
        .iter()
        .flat_map(|method| Door::ALL.iter().map(move |door| (*method, *door)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_counted_under_its_method_door_and_outcome_alone() {
        let metrics = Metrics::new();
        metrics.request(
            Method::Verify,
            Door::Grpc,
            Outcome::Refused,
            Duration::from_millis(3),
        );
        let text = metrics.render(Gauges::default());
        let counted: Vec<_> = text
            .lines()
            .filter(|line| line.starts_with("postern_requests_total") && !line.ends_with(" 0"))
            .collect();
        assert_eq!(
            counted,
            [r#"postern_requests_total{method="verify",door="grpc",outcome="refused"} 1"#]
        );
        assert!(text.contains(
            r#"postern_request_duration_seconds_bucket{le="0.005",method="verify",door="grpc"} 1"#
        ));
    }

    #[test]
    fn gauges_are_those_of_the_scrape() {
        let gauges = Gauges {
            outbox_depth: 7,
            outbox_oldest: Duration::from_millis(1500),
            ..Gauges::default()
        };
        let text = Metrics::new().render(gauges);
        assert!(text.contains("postern_outbox_depth 7\n"), "{text}");
        assert!(
            text.contains("postern_outbox_oldest_age_seconds 1.5\n"),
            "{text}"
        );
    }

    #[test]
    fn every_label_has_the_index_of_its_place() {
        fn in_order<L: Label>() {
            for (place, label) in L::ALL.iter().enumerate() {
                assert_eq!(label.index(), place);
            }
        }
        in_order::<Method>();
        in_order::<Door>();
        in_order::<Outcome>();
        in_order::<RedeemVerdict>();
        in_order::<Attempt>();
    }
}
