use super::*;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Order {
    user_id: i64,
    note: Option<String>,
    lines: Vec<Object<Line>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    quantity: i64,
}

fn refused(body: &[u8]) -> String {
    let answer = parse::<Order>(body).unwrap_err().into_answer();
    assert_eq!(answer.status, 400);
    String::from_utf8(answer.body).unwrap()
}

#[test]
fn a_body_that_fits_is_read() {
    let order: Order = parse(br#" {"userId":1,"note":null,"lines":[{"quantity":2}]} "#).unwrap();
    assert_eq!((order.user_id, order.note, order.lines[0].0.quantity), (1, None, 2));
}

#[test]
fn a_wrong_field_is_named_by_its_path() {
    for (body, field, says) in [
        (r#"{"lines":[]}"#, "userId", "is missing"),
        (r#"{"userId":null,"lines":[]}"#, "userId", "must be a whole number"),
        (r#"{"userId":"1","lines":[]}"#, "userId", "must be a whole number"),
        (r#"{"userId":1.0,"lines":[]}"#, "userId", "must be a whole number"),
        (r#"{"userId":9223372036854775808,"lines":[]}"#, "userId", "must be a whole number"),
        (r#"{"userId":1,"lines":[{}]}"#, "lines[0].quantity", "is missing"),
        (r#"{"userId":1,"lines":[[2]]}"#, "lines[0]", "must be an object"),
        (r#"{"userId":1,"lines":{}}"#, "lines", "must be a list"),
        (r#"{"userId":1,"lines":[],"x":1}"#, "x", "is not known"),
        (r#"{"userId":1,"lines":[{"quantity":1,"x":1}]}"#, "lines[0].x", "is not known"),
        (r#"{"userId":1,"userId":2,"lines":[]}"#, "userId", "comes twice"),
        (r#"{"userId":1,"lines":[{"quantity":1,"quantity":1}]}"#, "lines[0].quantity", "comes twice"),
    ] {
        let answer = refused(body.as_bytes());
        assert!(answer.contains(&format!(r#""field":"{field}""#)) && answer.contains(says), "{body}: {answer}");
    }
}

#[test]
fn what_is_not_one_json_object_is_refused() {
    let bomb = format!(r#"{{"userId":1,"lines":{}"#, "[".repeat(10_000));
    let bodies: [&[u8]; 9] = [
        b"",
        b"[]",
        b"[1,null,[]]",
        b"null",
        b"{\"userId\":1,\"lines\":[]} x",
        b"{\"userId\":1,\"lines\":[]",
        b"{\"userId\":1,\"note\":\"\xff\",\"lines\":[]}",
        b"\xef\xbb\xbf{\"userId\":1,\"lines\":[]}",
        bomb.as_bytes(),
    ];
    for body in bodies {
        refused(body);
    }
}

#[test]
fn what_was_sent_is_not_repeated() {
    assert!(!refused(br#"{"userId":"secret","lines":[]}"#).contains("secret"));
}
