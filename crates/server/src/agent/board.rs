//! How all providers fare and what they cost, for whoever looks: `/v1/providers`, `/metrics`.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use providers::resilience::{Health, HealthReport};
use providers::vendors::PriceList;

/// All providers that calls may use. Filled while the server starts; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Board(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    providers: RwLock<Vec<Arc<Health>>>,
    prices: BTreeMap<String, PriceList>,
}

/// A provider at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// How it fares.
    pub(crate) report: HealthReport,
    /// What its work has cost, in the currency of its prices; none without prices.
    pub(crate) cost: Option<f64>,
}

impl Board {
    /// An empty one, with the prices of providers by their names.
    pub(super) fn priced(prices: BTreeMap<String, PriceList>) -> Self {
        Self(Arc::new(Inner { prices, ..Inner::default() }))
    }

    /// Shows one more.
    pub(super) fn add(&self, health: Arc<Health>) {
        self.0.providers.write().unwrap_or_else(PoisonError::into_inner).push(health);
    }

    /// How each one fares now, by stage and name.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        let health = self.0.providers.read().unwrap_or_else(PoisonError::into_inner);
        let mut entries: Vec<Entry> = health.iter().map(|health| self.entry(health.report())).collect();
        entries.sort_by(|Entry { report: one, .. }, Entry { report: other, .. }| {
            (one.stage.as_str(), &one.name).cmp(&(other.stage.as_str(), &other.name))
        });
        entries
    }

    fn entry(&self, report: HealthReport) -> Entry {
        let prices = self.0.prices.get(&report.name).map(|prices| prices.of(report.stage));
        let cost = prices.filter(|prices| !prices.is_free()).map(|prices| prices.of(&report.consumed));
        Entry { report, cost }
    }
}
