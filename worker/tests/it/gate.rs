//! A URL that the handler `http` posts to, and that answers only when it is told to: work that takes as long as a test
//! wants, whatever the machine does meanwhile.

use axum::Router;
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::sync::watch;

pub(crate) struct Gate {
    url: String,
    is_open: watch::Sender<bool>,
}

impl Gate {
    pub(crate) async fn start() -> Self {
        let (is_open, opened) = watch::channel(false);
        let answer = async move || {
            // It never closes again, and its sender outlives the test.
            let _ = opened.clone().wait_for(|is_open| *is_open).await;
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}/work", listener.local_addr().unwrap());
        let routes = Router::new().route("/work", post(answer));
        tokio::spawn(async { axum::serve(listener, routes).await.unwrap() });
        Self { url, is_open }
    }

    /// The variables that make it the handler, and further ones.
    pub(crate) fn handles<'a>(
        &'a self,
        variables: &[(&'a str, &'a str)],
    ) -> Vec<(&'a str, &'a str)> {
        let mut all = vec![
            ("SLUICE_WORKER_HANDLER", "http"),
            ("SLUICE_WORKER_HTTP_URL", self.url.as_str()),
            ("SLUICE_WORKER_HTTP_TIMEOUT_SECONDS", "600"),
        ];
        all.extend(variables);
        all
    }

    /// All work is done from now on.
    pub(crate) fn open(&self) {
        self.is_open.send_replace(true);
    }
}
