//! How all providers fare, for whoever looks: `/v1/providers`, `/metrics`.

use std::sync::{Arc, PoisonError, RwLock};

use providers::resilience::{Health, HealthReport};

/// All providers that calls may use. Filled while the server starts; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Board(Arc<RwLock<Vec<Arc<Health>>>>);

impl Board {
    /// Shows one more.
    pub(super) fn add(&self, health: Arc<Health>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).push(health);
    }

    /// How each one fares now, by stage and name.
    pub(crate) fn reports(&self) -> Vec<HealthReport> {
        let health = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut reports: Vec<HealthReport> = health.iter().map(|health| health.report()).collect();
        reports.sort_by(|one, other| (one.stage.as_str(), &one.name).cmp(&(other.stage.as_str(), &other.name)));
        reports
    }
}
