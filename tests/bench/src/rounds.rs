//! Rounds in turn, and what is made of them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use async_trait::async_trait;
use hdrhistogram::Histogram;
use tokio::task::JoinSet;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// Rounds of each side; one more before them is thrown away.
    pub(crate) rounds: usize,
    /// How long a round of a side takes.
    pub(crate) span: Duration,
    /// Calls of a round where each leaves something behind that counts against a limit.
    pub(crate) calls: usize,
    /// Namespaces at the backend where their number is what is measured.
    pub(crate) namespaces: usize,
}

impl Plan {
    /// The figures of the report.
    pub(crate) const FULL: Self = Self { rounds: 9, span: Duration::from_millis(700), calls: 40, namespaces: 10_000 };
    /// Whether everything runs.
    pub(crate) const QUICK: Self = Self { rounds: 3, span: Duration::from_millis(120), calls: 3, namespaces: 300 };
}

/// Something that can be done again and again.
#[async_trait]
pub(crate) trait Subject: Send + Sync + 'static {
    /// Once, and whether it worked.
    async fn once(&self) -> Result<()>;
}

/// Medians over the rounds of one side.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Pace {
    /// Half of the calls took no longer, in microseconds.
    pub(crate) p50: f64,
    /// All but one of a hundred took no longer, in microseconds.
    pub(crate) p99: f64,
    /// Calls in a second.
    pub(crate) per_second: f64,
}

/// Lets the sides take turns, each with `in_flight` calls at a time.
pub(crate) async fn interleaved(plan: Plan, in_flight: usize, sides: &[Arc<dyn Subject>]) -> Result<Vec<Pace>> {
    let mut paces = vec![Vec::new(); sides.len()];
    for round in 0..=plan.rounds {
        for (side, paces) in sides.iter().zip(&mut paces) {
            let pace = self::round(plan.span, in_flight, side).await?;
            if round > 0 {
                paces.push(pace);
            }
        }
    }
    Ok(paces.iter().map(|rounds| Pace::median(rounds)).collect())
}

/// One round of one side.
pub(crate) async fn round(span: Duration, in_flight: usize, subject: &Arc<dyn Subject>) -> Result<Pace> {
    let begin = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..in_flight {
        callers.spawn(caller(Arc::clone(subject), begin + span, in_flight > 1));
    }
    let mut all = histogram()?;
    while let Some(seen) = callers.join_next().await {
        all.add(seen??)?;
    }
    Ok(Pace::of(&all, begin.elapsed()))
}

/// One caller. Among others it steps back in the queue after it has begun: a call that never waits would else keep its
/// worker to itself, and what stands in line behind it would not be measured.
async fn caller(subject: Arc<dyn Subject>, end: Instant, among_others: bool) -> Result<Histogram<u64>> {
    let mut seen = histogram()?;
    let mut begin = Instant::now();
    while begin < end {
        if among_others {
            tokio::task::yield_now().await;
        }
        subject.once().await?;
        let now = Instant::now();
        seen.saturating_record(u64::try_from((now - begin).as_nanos())?);
        begin = now;
    }
    Ok(seen)
}

/// So many calls of one side, one after the other.
pub(crate) async fn calls(count: usize, subject: &Arc<dyn Subject>) -> Result<Pace> {
    let begin = Instant::now();
    let mut all = histogram()?;
    for _ in 0..count {
        let begin = Instant::now();
        subject.once().await?;
        all.saturating_record(u64::try_from(begin.elapsed().as_nanos())?);
    }
    Ok(Pace::of(&all, begin.elapsed()))
}

fn histogram() -> Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, 60_000_000_000, 3)?)
}

impl Pace {
    /// What a round has seen, and how long it took.
    fn of(seen: &Histogram<u64>, took: Duration) -> Self {
        let micros = |quantile| seen.value_at_quantile(quantile) as f64 / 1e3;
        Self { p50: micros(0.5), p99: micros(0.99), per_second: seen.len() as f64 / took.as_secs_f64() }
    }

    pub(crate) fn median(rounds: &[Self]) -> Self {
        let of = |field: fn(&Self) -> f64| median(rounds.iter().map(field));
        Self { p50: of(|r| r.p50), p99: of(|r| r.p99), per_second: of(|r| r.per_second) }
    }
}

/// The middle one; 0 of none.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slow_round_does_not_move_the_median() {
        assert!((median([3.0, 1000.0, 2.0]) - 3.0).abs() < f64::EPSILON);
        assert!(median([]).abs() < f64::EPSILON);
    }
}
