use commerce_adapters::runtime::{Failure, Progress, SharedArgs, close, open_beside};
use commerce_core::audit::{AuditCounts, AuditOptions, AuditReport, audit};
use commerce_core::store::StoreError;
use serde_json::json;

/// The options of `audit`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Write the report as one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(shared: &SharedArgs, Arguments { json }: Arguments) -> Result<(), Failure> {
    let shop = open_beside(shared).await?;
    let mut progress = Progress::begin("audit");
    let parts = shop.parts();
    let looked =
        audit(parts.store.as_ref(), parts.clock.as_ref(), AuditOptions::default(), &mut |at| progress.at(at.table, at.rows, 0)).await;
    progress.end();
    close(shop).await?;
    match looked {
        Ok(report) => {
            if json {
                println!("{}", as_json(&report));
            } else {
                print(&report);
            }
            verdict(&report)
        }
        // A row that is no valid data ends the look: nothing that follows from it could be told apart.
        Err(StoreError::Corrupt(what)) => {
            let detail = format!("a row is no valid data: {what}");
            if json {
                let violation = json!({"check": "unreadable", "subject": "stored data", "detail": detail});
                println!("{}", json!({"clean": false, "violations": [violation]}));
            } else {
                println!("unreadable stored data: {detail}");
            }
            Err(Failure::Bad("the audit ended at a row that it cannot read".into()))
        }
        Err(error) => Err(Failure::missing("the audit could not look", &error)),
    }
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
        println!("{violation}");
    }
    if report.omitted > 0 {
        println!("… and {} more", report.omitted);
    }
    if report.is_clean() {
        let AuditCounts { accounts, point_entries, stock, stock_entries, orders, payments, coupons, user_coupons } = report.checked;
        println!("clean: every invariant holds");
        println!("checked {accounts} accounts with {point_entries} ledger entries, {stock} options with {stock_entries} ledger entries,");
        println!("        {orders} orders, {payments} payments, {coupons} coupons, {user_coupons} user coupons");
    }
}

fn as_json(report: &AuditReport) -> serde_json::Value {
    let AuditCounts { accounts, point_entries, stock, stock_entries, orders, payments, coupons, user_coupons } = report.checked;
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
        },
        "violations": violations,
        "omitted": report.omitted,
    })
}
