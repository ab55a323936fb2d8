//! The credentials of the moment: loaded before anything is served, and looked for again while it is.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use tokio::{
    net::TcpStream,
    task::spawn_blocking,
    time::{Instant, MissedTickBehavior, interval},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::sync::CancellationToken;

use super::{TlsError, TlsSettings, credentials::Credentials};
use crate::{
    clock::EpochClock,
    metrics::Metrics,
    telemetry,
    watched_files::{LOOK_INTERVAL, WatchedFiles},
};

/// Certificates are renewed well before; one that is not is told once a day from then on.
const EXPIRY_WARNING: Duration = Duration::from_hours(14 * 24);
const DAY: Duration = Duration::from_hours(24);

/// What handshakes are made with.
#[derive(Debug, Clone)]
pub struct TlsFeed {
    settings: Arc<TlsSettings>,
    files: WatchedFiles,
    current: Arc<ArcSwap<Credentials>>,
    look_interval: Duration,
}

impl TlsFeed {
    /// Reads the files.
    ///
    /// # Errors
    /// When they cannot be read, or TLS cannot be spoken with what they hold.
    pub fn load(settings: TlsSettings) -> Result<Self, TlsError> {
        let mut files = WatchedFiles::new(settings.files());
        let contents = files.read_if_changed()?.unwrap_or_default();
        let credentials = Credentials::from_files(&settings, &contents)?;
        Ok(Self {
            settings: Arc::new(settings),
            files,
            current: Arc::new(ArcSwap::from_pointee(credentials)),
            look_interval: LOOK_INTERVAL,
        })
    }

    /// Looks at the files in this interval.
    #[must_use]
    pub fn looking_each(self, look_interval: Duration) -> Self {
        Self {
            look_interval,
            ..self
        }
    }

    /// Makes a handshake with the credentials of this moment.
    pub(crate) async fn accept(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        let handshake = Arc::clone(&self.current.load().handshake);
        TlsAcceptor::from(handshake).accept(stream).await
    }

    /// Takes what is new in the files, and warns before it expires, until `stop` is cancelled. What
    /// cannot be used leaves things as they are, and is told once.
    pub(crate) async fn watch(
        self,
        (metrics, clock): (Arc<Metrics>, EpochClock),
        stop: CancellationToken,
    ) {
        let mut files = self.files.clone();
        let mut looks = interval(self.look_interval);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut told, mut failure) = (None, None);
        loop {
            tokio::select! {
                _ = looks.tick() => {}
                () = stop.cancelled() => return,
            }
            let outcome;
            (files, outcome) = self.look(files).await;
            self.note(&metrics, &outcome, &mut failure);
            let expires_at = self.current.load().expires_at;
            metrics.certificate_expires(expires_at);
            let left = expires_at.saturating_sub(clock.at(Instant::now()));
            warn_of_expiry(left, &mut told);
        }
    }

    /// Reads the files away from the threads that answer: a mounted file may hang.
    async fn look(&self, mut files: WatchedFiles) -> (WatchedFiles, Result<bool, TlsError>) {
        let read = spawn_blocking(move || {
            let contents = files.read_if_changed();
            (files, contents)
        });
        let Ok((files, contents)) = read.await else {
            return (self.files.clone(), Err(TlsError::Interrupted));
        };
        let outcome = contents.map_err(TlsError::from).and_then(|contents| {
            let Some(contents) = contents else {
                return Ok(false);
            };
            let fresh = Credentials::from_files(&self.settings, &contents)?;
            self.current.store(Arc::new(fresh));
            Ok(true)
        });
        (files, outcome)
    }

    fn note(
        &self,
        metrics: &Metrics,
        outcome: &Result<bool, TlsError>,
        failure: &mut Option<String>,
    ) {
        match outcome {
            Ok(false) => *failure = None,
            Ok(true) => {
                metrics.certificate_loaded(outcome);
                *failure = None;
                let certificate = &self.settings.certificate;
                tracing::info!(
                    ?certificate,
                    "new connections use the certificate as it is now"
                );
            }
            Err(error) => {
                let text = telemetry::chain(error);
                if failure.as_ref() != Some(&text) {
                    metrics.certificate_loaded(outcome);
                    tracing::warn!("the certificate stays as it was: {text}");
                    *failure = Some(text);
                }
            }
        }
    }
}

/// Warns once for each day that is left.
fn warn_of_expiry(left: Duration, told: &mut Option<u64>) {
    let days = left.as_secs() / DAY.as_secs();
    if left >= EXPIRY_WARNING {
        *told = None;
    } else if *told != Some(days) {
        *told = Some(days);
        if left.is_zero() {
            tracing::warn!("the certificate has expired: clients refuse it");
        } else {
            tracing::warn!("the certificate expires in {} h", left.as_secs() / 3600);
        }
    }
}
