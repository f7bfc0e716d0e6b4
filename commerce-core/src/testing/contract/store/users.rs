use super::samples::{BATCHES, NOW, attempt, id, ids, seconds, user, write};
use crate::UserId;
use crate::store::{Store, StoreError};
use crate::user::{Email, User, UserName};

pub(super) async fn users_come_back_as_they_were_written_in_batches_of_any_size(store: &dyn Store) {
    let mut first = 1;
    for size in BATCHES {
        let users: Vec<User> = (first..first + size).map(user).collect();
        let mut wanted: Vec<UserId> = users.iter().map(|user| user.id).rev().collect();
        wanted.push(wanted[0]);
        wanted.push(id(1_000_000));
        let (locked, existing) = write(store, async |uow| {
            uow.users().insert(&users).await?;
            Ok((uow.users().lock(&wanted).await?, uow.users().existing(&wanted).await?))
        })
        .await;
        assert_eq!(locked, users, "ascending, each once, without unknown ids");
        assert_eq!(existing, users.iter().map(|user| user.id).collect::<Vec<_>>());
        for user in users.iter().take(2) {
            assert_eq!(store.queries().user(user.id).await.unwrap().as_ref(), Some(user));
        }
        first += size;
    }
}

pub(super) async fn an_address_is_taken_whatever_its_case(store: &dyn Store) {
    let mut ann = user(1);
    ann.email = Email::parse("Ann.Lee@Shop.KR").unwrap();
    write(store, async |uow| uow.users().insert(std::slice::from_ref(&ann)).await).await;

    let shouted = Email::parse("ANN.LEE@SHOP.KR").unwrap();
    let free = Email::parse("ann@shop.kr").unwrap();
    let taken = write(store, async |uow| uow.users().taken(&[free.clone(), shouted.clone()]).await).await;
    assert_eq!(taken, ["ann.lee@shop.kr"]);
    assert_eq!(store.queries().user_by_email(&shouted).await.unwrap(), Some(ann), "found under any case, kept as it was written");
    assert_eq!(store.queries().user_by_email(&free).await.unwrap(), None);

    let twin = User { email: shouted, ..user(2) };
    let refused = attempt(store, async |uow| uow.users().insert(&[twin]).await).await;
    assert!(matches!(refused, Err(StoreError::Duplicate { .. })), "{refused:?}");
}

pub(super) async fn addresses_that_differ_in_accents_are_two(store: &dyn Store) {
    let [plain, accented] = ["jose@shop.kr", "josé@shop.kr"].map(|text| Email::parse(text).unwrap());
    let users = [User { email: plain.clone(), ..user(1) }, User { email: accented.clone(), ..user(2) }];
    write(store, async |uow| uow.users().insert(&users).await).await;
    assert_eq!(store.queries().user_by_email(&plain).await.unwrap().map(|user| user.id), Some(id(1)));
    assert_eq!(store.queries().user_by_email(&accented).await.unwrap().map(|user| user.id), Some(id(2)));
}

pub(super) async fn taken_addresses_are_found_in_batches_of_any_size(store: &dyn Store) {
    let users: Vec<User> = (1..=300).map(user).collect();
    write(store, async |uow| uow.users().insert(&users).await).await;
    for size in BATCHES {
        let emails: Vec<Email> = users.iter().map(|user| user.email.clone()).take(usize::try_from(size).unwrap()).collect();
        let mut taken = write(store, async |uow| uow.users().taken(&emails).await).await;
        let mut expected: Vec<String> = emails.iter().map(Email::unique_key).collect();
        taken.sort();
        expected.sort();
        assert_eq!(taken, expected);
    }
}

pub(super) async fn an_id_that_exists_is_refused(store: &dyn Store) {
    write(store, async |uow| uow.users().insert(&[user(1)]).await).await;
    let same_id = User { email: Email::parse("other@shop.kr").unwrap(), ..user(1) };
    let refused = attempt(store, async |uow| uow.users().insert(&[same_id]).await).await;
    assert!(matches!(refused, Err(StoreError::Duplicate { .. })), "{refused:?}");
}

pub(super) async fn users_are_renamed_in_batches_of_any_size(store: &dyn Store) {
    let users: Vec<User> = (1..=300).map(user).collect();
    write(store, async |uow| uow.users().insert(&users).await).await;
    for size in BATCHES {
        let later = NOW.plus(seconds(u64::try_from(size).unwrap()));
        let mut renamed = write(store, async |uow| uow.users().lock(&ids(size)).await).await;
        for user in &mut renamed {
            user.rename(UserName::parse(&format!("New {} {size}", user.id)).unwrap(), later);
        }
        write(store, async |uow| uow.users().update(&renamed).await).await;
        let stored = write(store, async |uow| uow.users().lock(&ids(size)).await).await;
        assert_eq!(stored, renamed);
    }
}

pub(super) async fn renaming_a_user_to_what_it_is_called_is_fine(store: &dyn Store) {
    write(store, async |uow| uow.users().insert(&[user(1)]).await).await;
    write(store, async |uow| uow.users().update(&[user(1)]).await).await;
}

pub(super) async fn an_unknown_user_cannot_be_renamed(store: &dyn Store) {
    write(store, async |uow| uow.users().insert(&[user(1)]).await).await;
    let refused = attempt(store, async |uow| uow.users().update(&[user(1), user(2)]).await).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
}

pub(super) async fn the_longest_texts_and_emoji_come_back_as_they_were(store: &dyn Store) {
    let name = UserName::parse(&"😀".repeat(20)).unwrap();
    let email = Email::parse(&format!("{}@{}", "가".repeat(42), "b".repeat(127))).unwrap();
    let extreme = User { name, email: email.clone(), ..user(1) };
    write(store, async |uow| uow.users().insert(std::slice::from_ref(&extreme)).await).await;
    assert_eq!(store.queries().user(id(1)).await.unwrap().as_ref(), Some(&extreme));
    assert_eq!(store.queries().user_by_email(&email).await.unwrap().as_ref(), Some(&extreme));
}
