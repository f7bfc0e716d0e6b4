use super::*;

fn read(text: &str) -> Result<String, OptionsError> {
    text.parse::<RedisOptions>().map(|options| options.to_string())
}

fn options(text: &str) -> RedisOptions {
    text.parse().unwrap()
}

#[test]
fn one_address_is_one_server() {
    assert_eq!(read("redis://127.0.0.1").unwrap(), "redis://127.0.0.1:6379/0");
    assert_eq!(read("redis://cache.example:6380/7").unwrap(), "redis://cache.example:6380/7");
    assert_eq!(read("redis://[::1]:6380").unwrap(), "redis://[::1]:6380/0");
}

#[test]
fn several_addresses_are_a_cluster() {
    let three = "redis://127.0.0.1:7001,redis://127.0.0.1:7002,redis://127.0.0.1:7003";
    assert_eq!(read(three).unwrap(), three);
    assert!(matches!(options("redis://a,redis://a").servers, Servers::Cluster(servers) if servers.len() == 2));
    assert_eq!(read("redis://a,redis://b/1"), Err(OptionsError::ClusterDatabase));
    assert_eq!(read("redis://:one@a,redis://:two@b"), Err(OptionsError::ClusterLogin));
}

#[test]
fn sentinels_name_their_service() {
    let two = options("redis+sentinel://shop:p%40ss@s1.example:26380,s2.example/orders/3");
    let Servers::Sentinel(Sentinels { hosts, service, login, tls: false }) = &two.servers else { panic!("{two} is not Sentinel") };
    let hosts: Vec<_> = hosts.iter().map(ToString::to_string).collect();
    assert_eq!((hosts.join(" ").as_str(), service.as_str()), ("s1.example:26380 s2.example:26379", "orders"));
    assert_eq!((login.username(), login.password(), login.db()), (Some("shop"), Some("p@ss"), 3));
    assert_eq!(two.to_string(), "redis+sentinel://s1.example:26380,s2.example:26379/orders/3");
    assert_eq!(read("redis+sentinel://[::1]:26379,[::2]/orders").unwrap(), "redis+sentinel://[::1]:26379,[::2]:26379/orders/0");
}

#[test]
fn what_is_no_address_is_refused() {
    for text in [
        "",
        "redis://",
        "localhost:6379",
        "http://a",
        "redis://a/x",
        "redis://a/-1",
        "redis://a?protocol=3",
        "redis://a,b",
        "redis://a, redis://b",
    ] {
        assert_eq!(read(text), Err(OptionsError::Server), "{text}");
    }
    for text in ["a", "a/", "a/ /0", "/orders", "a,/orders", "a/orders/x", "a:b/orders", "a/orders?x=1"] {
        assert_eq!(read(&format!("redis+sentinel://{text}")), Err(OptionsError::Sentinel), "{text}");
    }
}

#[cfg(not(feature = "redis-tls"))]
#[test]
fn tls_is_refused_by_a_build_without_it() {
    for text in ["rediss://a", "redis://a,rediss://b", "rediss+sentinel://a/orders"] {
        assert_eq!(read(text), Err(OptionsError::NoTls), "{text}");
    }
}

#[cfg(feature = "redis-tls")]
#[test]
fn tls_is_taken_by_a_build_with_it() {
    for text in ["rediss://a:6379/0", "rediss://a:6379,rediss://b:6379", "rediss+sentinel://a:26379/orders/0"] {
        assert_eq!(read(text).unwrap(), text);
    }
    assert_eq!(read("rediss://a#insecure"), Err(OptionsError::Server));
    assert_eq!(read("rediss://a,redis://b"), Err(OptionsError::ClusterLogin));
}

#[test]
fn a_secret_is_never_shown() {
    for text in ["redis://shop:s3cret@a", "redis://:s3cret@a,redis://:s3cret@b", "redis+sentinel://shop:s3cret@a/orders"] {
        let options = options(text);
        assert!(options.has_password());
        for shown in [options.to_string(), format!("{options:?}"), format!("{:?}", options.with_password("s3cret"))] {
            assert!(!shown.contains("s3cret") && !shown.contains("shop:"), "{shown}");
        }
    }
    for text in ["redis://:s3cret@a/x", "redis+sentinel://:s3cret@a"] {
        let error = text.parse::<RedisOptions>().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("s3cret"));
    }
}

#[test]
fn a_password_can_come_from_elsewhere() {
    for text in ["redis://shop@a", "redis://a,redis://b", "redis+sentinel://a/orders"] {
        assert!(!options(text).has_password(), "{text}");
        assert!(options(text).with_password("s3cret").has_password(), "{text}");
    }
}

#[test]
fn a_prefix_cannot_break_a_hash_tag() {
    assert_eq!(options("redis://a").with_prefix("shop-1:").unwrap().prefix, "shop-1:");
    for prefix in ["{shop}", "a b", "상점", &"x".repeat(65)] {
        assert_eq!(options("redis://a").with_prefix(prefix).unwrap_err(), OptionsError::Prefix, "{prefix}");
    }
}
