//! What the server that has the gate could do at most, by the tool it comes with.

use crate::measure::measuring;
use crate::premises::Addresses;
use tokio::process::Command;

/// The least that admits a user once, and as many as there are coupons: a place is looked for, and given.
const SCRIPT: &str = "if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then return -1 end \
     local given = tonumber(redis.call('GET', KEYS[2]) or 0) \
     if given >= tonumber(ARGV[2]) then return -2 end \
     redis.call('HSET', KEYS[1], ARGV[1], given + 1) \
     return redis.call('INCR', KEYS[2])";

/// How often a second the script decides, asked by so many connections, each for another user; or why that is not known.
pub(super) async fn decisions_per_second(name: &str, connections: u64, stock: u64) -> Result<f64, String> {
    let requests = if measuring() { "200000" } else { "2000" };
    let keys = [format!("{name}:places"), format!("{name}:given")];
    let (connections, stock) = (connections.to_string(), stock.to_string());
    let mut command = Command::new("redis-benchmark");
    command.args(["-u", &Addresses::given().redis, "--csv", "-n", requests, "-r", "1000000000", "-c", &connections]);
    command.args(["EVAL", SCRIPT, "2", &keys[0], &keys[1], "__rand_int__", &stock]);
    let output = command.kill_on_drop(true).output().await.map_err(|error| format!("redis-benchmark cannot be run: {error}"))?;
    // The second line is "the command","requests a second",…; the command is the script, which has commas and line feeds of its own.
    let said = String::from_utf8_lossy(&output.stdout);
    let figures = said.trim_end().rsplit("\",\"").nth(6);
    figures
        .and_then(|rate| rate.parse().ok())
        .ok_or_else(|| format!("redis-benchmark said {said}{}", String::from_utf8_lossy(&output.stderr)))
}
