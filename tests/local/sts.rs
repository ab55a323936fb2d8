//! STS as the Rust SDK sees it, and S3 over plain HTTP.

use aws_sdk_sts::{
    Client,
    config::{BehaviorVersion, Credentials, Region},
    error::ProvideErrorMetadata,
};

use crate::{
    admin::ask,
    support::{Running, given_a_server},
};

fn client(server: &Running) -> Client {
    let config = aws_sdk_sts::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::for_tests())
        .endpoint_url(&server.endpoint)
        .build();
    Client::from_conf(config)
}

#[tokio::test]
async fn the_caller_is_the_local_account() {
    let server = given_a_server().await;
    let identity = client(&server).get_caller_identity().send().await.unwrap();
    assert_eq!(identity.account(), Some("000000000000"));
    assert_eq!(server.control.requests("GetCallerIdentity"), 1);
}

#[tokio::test]
async fn a_role_is_assumed_until_its_credentials_expire() {
    let server = given_a_server().await;
    let request = client(&server)
        .assume_role()
        .role_arn("arn:aws:iam::111122223333:role/reader");
    let role = request
        .role_session_name("s")
        .duration_seconds(900)
        .send()
        .await
        .unwrap();
    let arn = role.assumed_role_user().unwrap().arn();
    assert_eq!(arn, "arn:aws:sts::111122223333:assumed-role/reader/s");
    let expires = u64::try_from(role.credentials().unwrap().expiration().secs()).unwrap();
    let left = expires - server.control.now().as_secs();
    assert!((890..=900).contains(&left), "{left}");
}

#[tokio::test]
async fn a_web_identity_assumes_a_role() {
    let server = given_a_server().await;
    let request = client(&server)
        .assume_role_with_web_identity()
        .web_identity_token("token");
    let request = request
        .role_arn("arn:aws:iam::111122223333:role/reader")
        .role_session_name("s");
    assert!(request.send().await.unwrap().credentials().is_some());
}

#[tokio::test]
async fn a_role_that_is_none_is_refused() {
    let server = given_a_server().await;
    let request = client(&server)
        .assume_role()
        .role_arn("a-role-without-an-arn-but-long");
    let error = request.role_session_name("s").send().await.unwrap_err();
    assert_eq!(error.code(), Some("ValidationError"));
}

#[tokio::test]
async fn objects_are_put_got_and_listed() {
    let server = given_a_server().await;
    assert_eq!(ask(&server, "PUT", "/shop/a", "x").await.0, 404);
    assert_eq!(ask(&server, "PUT", "/shop", "").await.0, 200);
    for key in ["in/a", "in/b", "out/c"] {
        assert_eq!(
            ask(&server, "PUT", &format!("/shop/{key}"), key).await.0,
            200
        );
    }
    assert_eq!(
        ask(&server, "GET", "/shop/in/a", "").await,
        (200, "in/a".to_owned())
    );
    let (_, first) = ask(
        &server,
        "GET",
        "/shop?list-type=2&prefix=in/&max-keys=1",
        "",
    )
    .await;
    assert!(
        first.contains("<Key>in/a</Key>") && first.contains("<IsTruncated>true"),
        "{first}"
    );
    let rest = "/shop?list-type=2&prefix=in/&continuation-token=in/a";
    let (_, rest) = ask(&server, "GET", rest, "").await;
    assert!(
        rest.contains("<Key>in/b</Key>") && !rest.contains("out/c"),
        "{rest}"
    );
    assert_eq!(
        ask(&server, "HEAD", "/shop/absent", "").await,
        (404, String::new())
    );
    assert_eq!(ask(&server, "DELETE", "/shop/in/a", "").await.0, 204);
    assert_eq!(ask(&server, "GET", "/shop/in/a", "").await.0, 404);
}
