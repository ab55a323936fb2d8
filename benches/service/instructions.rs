//! Instructions of a call from the cache beside those of a bare server, counted by valgrind: the same
//! on a busy machine as on a quiet one.

use super::{
    bare::{MESSAGES, command, given_bare},
    figures::row,
    grpc::{ALL_FROM_CACHE, answers},
    load::{Cell, Load},
    scaler::{SLUICE, Scaler, serve, served_by},
    sqs::{Sqs, given_sqs},
};

const RATIO_MAX: f64 = 1.15;

/// Counts, and writes nothing but the sum.
const COUNTED: [&str; 3] = [
    "valgrind",
    "--tool=callgrind",
    "--callgrind-out-file=/dev/null",
];

const CELL: Cell = Cell {
    connections: 1,
    in_flight: 16,
};

/// What is the same in every run: start, connection, code that runs for the first time.
const WARM_UP: u32 = 500;
const CALLS: u32 = 2_000;

/// A kind of call, and what is sent for it.
type Calls<'a> = Option<(&'static str, &'a Load)>;

pub(crate) async fn instructions() {
    let sqs = given_sqs(1).await;
    sqs.fill(1, usize::try_from(MESSAGES).unwrap());
    let loads = [
        (
            "GetMetrics",
            Load::of("GetMetrics", &sqs.metrics_request(0, 0)),
        ),
        ("IsActive", Load::of("IsActive", &sqs.reference(0, 0))),
        (
            "GetMetricSpec",
            Load::of("GetMetricSpec", &sqs.reference(0, 0)),
        ),
    ];
    let warm_up = &loads[0].1;
    let (mine, theirs) = (
        ours(&sqs, warm_up, None).await,
        bare(&sqs, warm_up, None).await,
    );
    for (method, load) in &loads {
        let calls = Some((*method, load));
        let mine = ours(&sqs, warm_up, calls).await - mine;
        let theirs = bare(&sqs, warm_up, calls).await - theirs;
        let ratio = mine as f64 / theirs as f64;
        let (mine, theirs) = (mine / u64::from(CALLS), theirs / u64::from(CALLS));
        row(
            &format!("{method} from cache over a bare server: instructions a call"),
            &format!("{ratio:.3} ({mine} / {theirs})"),
            "at most 1.15",
        );
        assert!(ratio <= RATIO_MAX, "{method}: {ratio:.3}");
    }
}

async fn ours(sqs: &Sqs, warm_up: &Load, calls: Calls<'_>) -> u64 {
    let arguments = [&serve("127.0.0.1:0")[..], &ALL_FROM_CACHE].concat();
    let server = served_by(command(&COUNTED, SLUICE, &arguments)).await;
    count(server, sqs, (warm_up, calls)).await
}

async fn bare(sqs: &Sqs, warm_up: &Load, calls: Calls<'_>) -> u64 {
    count(given_bare(&COUNTED).await, sqs, (warm_up, calls)).await
}

/// All instructions of a server's life with these calls.
async fn count(server: Scaler, sqs: &Sqs, (warm_up, calls): (&Load, Calls<'_>)) -> u64 {
    answers(&server, sqs).await;
    warm_up.run(&[], &server, (CELL, WARM_UP)).await;
    if let Some((_, load)) = calls {
        load.run(&[], &server, (CELL, CALLS)).await;
    }
    let log = server.stop().await;
    let line = log.iter().find_map(|line| line.split_once("Collected : "));
    let (_, sum) = line.expect("a sum of callgrind");
    sum.trim().parse().expect("a number")
}
