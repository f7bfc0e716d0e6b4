//! How the schema is made and brought up to date, and who may.

use crate::database::Database;
use commerce_adapters::mysql::{MysqlOptions, MysqlStore, OpenError, SchemaState};
use commerce_core::Sequence;
use commerce_core::store::Store;

/// The steps of the schema, as it is.
async fn steps(database: &Database) -> Vec<i64> {
    let steps = "SELECT version FROM _sqlx_migrations WHERE success ORDER BY version";
    sqlx::query_scalar(steps).fetch_all(&mut database.connection().await).await.unwrap()
}

async fn migrate(options: &MysqlOptions) -> Vec<(usize, usize)> {
    let mut progress = Vec::new();
    MysqlStore::migrate(options, |done, total| progress.push((done, total))).await.unwrap();
    progress
}

pub(crate) async fn a_database_that_does_not_exist_is_made_and_one_that_is_current_stays_as_it_is(database: Database) {
    database.on_server(&format!("DROP DATABASE {}", database.name())).await;
    let options = database.options();
    assert!(matches!(MysqlStore::schema_state(&options).await.unwrap(), SchemaState::Older { found: 0, .. }));
    assert!(matches!(MysqlStore::connect(&options).await.err(), Some(OpenError::SchemaOlder { found: 0, .. })));
    let progress = migrate(&options).await;
    let total = progress.len();
    assert_eq!(progress, (1..=total).map(|done| (done, total)).collect::<Vec<_>>());
    assert_eq!(MysqlStore::schema_state(&options).await.unwrap(), SchemaState::Current);
    let made = steps(&database).await;
    assert_eq!((made.len(), migrate(&options).await.last()), (total, Some(&(total, total))));
    assert_eq!(steps(&database).await, made);
}

pub(crate) async fn processes_that_migrate_at_once_wait_for_each_other(database: Database) {
    database.on_server(&format!("DROP DATABASE {}", database.name())).await;
    let options = database.options();
    let at_once = (0..6).map(|_| MysqlStore::migrate(&options, |_, _| {}));
    for outcome in futures_util::future::join_all(at_once).await {
        outcome.unwrap();
    }
    assert_eq!(MysqlStore::schema_state(&options).await.unwrap(), SchemaState::Current);
    database.store().await.close().await;
}

pub(crate) async fn a_step_that_was_broken_off_is_taken_up_again(database: Database) {
    let complete = steps(&database).await;
    // Given processes that ended just before, or just after, a step had its effect,
    let undone_by =
        [(20, "DROP INDEX payments_by_time ON payments"), (27, "DROP TABLE fences"), (29, "ALTER TABLE outbox DROP COLUMN handled_by")];
    for (step, had_effect) in undone_by.iter().flat_map(|(step, _)| [(*step, false), (*step, true)]) {
        for (_, undo) in undone_by.iter().filter(|(later, _)| *later > step || *later == step && !had_effect) {
            database.execute(undo).await;
        }
        database.execute(&format!("DELETE FROM _sqlx_migrations WHERE version > {step}")).await;
        database.execute(&format!("UPDATE _sqlx_migrations SET success = FALSE WHERE version = {step}")).await;
        assert!(matches!(MysqlStore::schema_state(&database.options()).await.unwrap(), SchemaState::Older { found, .. } if found < step));
        // when somebody migrates, then the schema is complete.
        migrate(&database.options()).await;
        assert_eq!(steps(&database).await, complete);
    }
    let by_time = "SELECT COUNT(DISTINCT index_name) FROM information_schema.statistics WHERE table_schema = DATABASE() AND index_name = 'payments_by_time'";
    let by_time: i64 = sqlx::query_scalar(by_time).fetch_one(&mut database.connection().await).await.unwrap();
    assert_eq!(by_time, 1);
}

pub(crate) async fn a_newer_schema_is_refused_and_left_alone(database: Database) {
    let newer =
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', TRUE, '', 0)";
    database.execute(newer).await;
    let options = database.options();
    assert!(matches!(MysqlStore::connect(&options).await.err(), Some(OpenError::SchemaNewer { found: 9999, .. })));
    assert!(matches!(MysqlStore::migrate(&options, |_, _| {}).await, Err(OpenError::SchemaNewer { found: 9999, .. })));
    assert!(matches!(MysqlStore::schema_state(&options).await.unwrap(), SchemaState::Newer { found: 9999, .. }));
}

pub(crate) async fn a_step_that_is_not_the_one_we_know_is_refused(database: Database) {
    database.execute("UPDATE _sqlx_migrations SET checksum = 'another' WHERE version = 3").await;
    let refused = MysqlStore::migrate(&database.options(), |_, _| {}).await;
    assert!(matches!(refused, Err(OpenError::Migration(_))), "{refused:?}");
}

pub(crate) async fn a_user_with_a_password_and_rights_to_one_database_can_do_everything(database: Database) {
    // Given a user as an operator makes it, on the server's own way to check passwords,
    let user = format!("{}_user", database.name());
    database.execute(&format!("CREATE USER '{user}'@'%' IDENTIFIED BY 'p@ss w0rd/ü'")).await;
    database.execute(&format!("GRANT ALL ON {}.* TO '{user}'@'%'", database.name())).await;
    database.on_server(&format!("DROP DATABASE {}", database.name())).await;
    let host = database.address().split_once('@').unwrap().1.to_owned();
    let options = MysqlOptions::parse(&format!("mysql://{user}@{host}")).unwrap().with_password("p@ss w0rd/ü");
    // when it makes the database and works with it, over a plain connection, then nothing is refused.
    migrate(&options).await;
    let store = MysqlStore::connect(&options).await.unwrap();
    store.lease_ids(Sequence::Order, 1).await.unwrap();
    store.ping().await.unwrap();
    store.close().await;
    // A wrong password is refused, in words that do not show it.
    let refused = MysqlStore::connect(&options.with_password("s3cret")).await.err().unwrap();
    assert!(!format!("{refused} {refused:?}").contains("s3cret"));
    database.on_server(&format!("DROP USER '{user}'@'%'")).await;
}
