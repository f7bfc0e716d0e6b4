use clap::builder::FalseyValueParser;
use commerce_adapters::runtime::{Failure, OpenShop, Presence, Progress, SharedArgs, say};
use commerce_core::audit::{AuditCounts, AuditOptions, AuditReport, audit};
use serde_json::json;

/// The options of `audit`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Write the report as one JSON object
    #[arg(long, env = "COMMERCE_JSON", value_parser = FalseyValueParser::new())]
    json: bool,
}

pub(crate) async fn run(shared: &SharedArgs, Arguments { json }: Arguments) -> Result<(), Failure> {
    let shop = OpenShop::open(shared, Presence::Beside).await?;
    let mut progress = Progress::begin("audit");
    let looked = audit(shop.parts().audited(), AuditOptions::default(), &mut |at| progress.at(at.table, at.rows, 0)).await;
    progress.end();
    shop.close().await?;
    let report = looked.map_err(|error| Failure::missing("the audit could not look", &error))?;
    if json {
        say(as_json(&report));
    } else {
        print(&report);
    }
    verdict(&report)
}

fn verdict(report: &AuditReport) -> Result<(), Failure> {
    match report.violations.len() as u64 + report.omitted {
        0 => Ok(()),
        1 => Err(Failure::Bad("the audit found 1 violation".into())),
        count => Err(Failure::Bad(format!("the audit found {count} violations"))),
    }
}

fn print(report: &AuditReport) {
    for violation in &report.violations {
        say(violation);
    }
    if report.omitted > 0 {
        say(format_args!("… and {} more", report.omitted));
    }
    if report.is_clean() {
        say("clean: every invariant holds");
    }
    let AuditCounts { accounts, point_entries, stock, stock_entries, orders, payments, coupons, user_coupons, gates, boards } =
        report.checked;
    say(format_args!(
        "checked {accounts} accounts with {point_entries} ledger entries, {stock} options with {stock_entries} ledger entries,"
    ));
    say(format_args!("        {orders} orders, {payments} payments, {coupons} coupons, {user_coupons} user coupons,"));
    say(format_args!("        {gates} coupon gates within reach, {boards} daily boards of the ranking"));
}

fn as_json(report: &AuditReport) -> serde_json::Value {
    let AuditCounts { accounts, point_entries, stock, stock_entries, orders, payments, coupons, user_coupons, gates, boards } =
        report.checked;
    let violations: Vec<_> = report
        .violations
        .iter()
        .map(|violation| json!({"check": violation.check.to_string(), "subject": violation.subject, "detail": violation.detail}))
        .collect();
    json!({
        "clean": report.is_clean(),
        "checked": {
            "accounts": accounts, "pointEntries": point_entries, "options": stock, "stockEntries": stock_entries,
            "orders": orders, "payments": payments, "coupons": coupons, "userCoupons": user_coupons,
            "openGates": gates, "wholeBoards": boards,
        },
        "violations": violations,
        "omitted": report.omitted,
    })
}
