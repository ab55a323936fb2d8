//! Real programs of a shell.

use std::time::Duration;

use super::*;

fn shell(script: &str, takes: Takes) -> Command {
    Command {
        program: "sh".into(),
        arguments: vec!["-c".into(), script.into()],
        takes,
    }
}

fn given_message() -> Arc<Message> {
    Arc::new(Message {
        attributes: [("event-type".to_owned(), "sale".to_owned())].into(),
        receive_count: Some(2),
        ..Message::new("m-1", "the body\n")
    })
}

#[tokio::test]
async fn a_program_reads_the_body_and_the_attributes() {
    let script = r#"read -r body && test "$body" = "the body" && test "$SQS_MESSAGE_ID" = m-1 &&
        test "$SQS_RECEIVE_COUNT" = 2 && test "$SQS_ATTRIBUTE_EVENT_TYPE" = sale"#;
    let handled = shell(script, Takes::Message).handle(given_message()).await;
    handled.unwrap();
}

#[tokio::test]
async fn the_exit_code_decides() {
    let failing = shell("exit 3", Takes::Message);
    let error = failing.handle(given_message()).await.unwrap_err();
    assert_eq!(error.to_string(), "the program ended with exit code 3");
    let missing = Command {
        program: "/no/such/program".into(),
        ..shell("", Takes::Message)
    };
    let error = missing.handle(given_message()).await.unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("cannot run \"/no/such/program\": "),
        "{error}"
    );
}

#[tokio::test]
async fn a_program_that_does_not_read_its_input_is_not_a_failure() {
    let message = Arc::new(Message::new("m-1", &"x".repeat(1_000_000)));
    shell("exit 0", Takes::Message)
        .handle(message)
        .await
        .unwrap();
}

#[tokio::test]
async fn the_children_of_a_program_end_with_it() {
    let script = "sleep 600 & echo $! >&2; wait";
    let mut program = shell(script, Takes::Message).program();
    program.stdout(Stdio::inherit()).stderr(Stdio::piped());
    let mut running = Running::start(program, "sh").unwrap();
    let mut digits = [0; 32];
    let mut stderr = running.child.stderr.take().unwrap();
    let count = stderr.read(&mut digits).await.unwrap();
    let id = String::from_utf8_lossy(&digits[..count]).trim().to_owned();
    let is_alive = || {
        let status = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        // A zombie has ended; only its parent has not looked yet.
        !status.is_empty() && !status.contains(" Z ")
    };
    assert!(is_alive());
    drop(running);
    for _ in 0..500 {
        if !is_alive() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("process {id} lives on");
}

#[tokio::test]
async fn a_batch_is_one_line_a_message_and_failures_are_named() {
    let batch = ["m-1", "m-2", "m-3"].map(|id| Arc::new(Message::new(id, "x")));
    let script =
        r#"test "$(wc -l)" = 3 && echo '{"batchItemFailures":[{"itemIdentifier":"m-2"}]}'"#;
    let naming = shell(script, Takes::Batch);
    let results = naming.handle_batch(batch.to_vec()).await;
    let is_done: Vec<_> = results.iter().map(Result::is_ok).collect();
    assert_eq!(is_done, [true, false, true]);
}

#[tokio::test]
async fn a_batch_whose_program_fails_or_says_nonsense_is_not_done() {
    for script in [
        "exit 1",
        "echo nonsense",
        "echo '{\"batchItemFailures\":[{}]}'",
    ] {
        let failing = shell(script, Takes::Batch);
        let results = failing.handle_batch(vec![given_message()]).await;
        assert!(results[0].is_err(), "{script}");
    }
}

#[test]
fn any_name_of_an_attribute_makes_a_variable() {
    assert_eq!(variable("event_type.v2-ä"), "SQS_ATTRIBUTE_EVENT_TYPE_V2__");
}
