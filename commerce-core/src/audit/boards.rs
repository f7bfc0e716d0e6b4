//! A9: the daily boards of the ranking count what was sold.

use super::scan::PAGE_ROWS;
use super::{AuditError, CheckId, Drift, Pass, Suspect};
use crate::messaging::SoldUnits;
use crate::ranking::{BoardError, RankingBoard, window};
use crate::store::StoreError;
use crate::{BusinessCalendar, BusinessDay, ProductId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

type Sold = BTreeMap<ProductId, u64>;

/// What the boards said.
pub(super) struct Boards {
    /// The board's own: whoever audits need not know the shop's time zone.
    calendar: BusinessCalendar,
    days: Vec<(BusinessDay, Board)>,
}

enum Board {
    /// There is none although others exist.
    Missing,
    /// What it counts. Whether it knows that this is everything makes no difference: it is compared.
    Counted(Sold),
}

impl Boards {
    /// Reads the boards of all days that are `wanted`; `None` if nothing is counted at all.
    pub(super) async fn read(
        board: &dyn RankingBoard,
        now: Timestamp,
        wanted: impl Fn(BusinessDay) -> bool,
    ) -> Result<Option<Self>, BoardError> {
        let Some(calendar) = board.calendar().await? else { return Ok(None) };
        let known: BTreeMap<_, _> = board.days().await?.into_iter().map(|known| (known.day, known.whole)).collect();
        if known.is_empty() {
            return Ok(None);
        }
        let today = calendar.day_of(now);
        let shown = window(today).start;
        let looked_at: BTreeSet<_> = known.keys().copied().chain(today.since(shown)).filter(|day| wanted(*day)).collect();
        let mut days = Vec::new();
        for day in looked_at {
            match known.get(&day) {
                None => days.push((day, Board::Missing)),
                // A day that no ranking shows any more is not made whole again.
                Some(false) if day < shown => {}
                Some(_) => days.push((day, Board::Counted(counted(board, day).await?))),
            }
        }
        Ok(Some(Self { calendar, days }))
    }
}

/// Checks all boards.
pub(super) async fn check(pass: &mut Pass<'_>, drift: &mut Drift) -> Result<(), AuditError> {
    pass.reading = CheckId::A9;
    let Some(boards) = Boards::read(pass.audited.board, pass.now, |_| true).await? else { return Ok(()) };
    pass.counts.boards = boards.days.iter().filter(|(_, board)| matches!(board, Board::Counted(_))).count() as u64;
    compare(pass, &boards, drift).await?;
    Ok(())
}

/// Compares what the boards said with the store.
pub(super) async fn compare(pass: &mut Pass<'_>, boards: &Boards, drift: &mut Drift) -> Result<(), StoreError> {
    for (day, board) in &boards.days {
        let (from, to) = (boards.calendar.start_of(*day), boards.calendar.start_of(day.next()));
        match board {
            Board::Missing => {
                if !pass.snapshot.sold(from, to, None, 1).await?.is_empty() {
                    pass.findings.suspect(CheckId::A9, Suspect::Board(*day), "it is missing although something was sold".to_owned());
                }
            }
            Board::Counted(counted) => {
                let stored = stored(pass, from, to).await?;
                compare_day(pass, *day, counted, &stored, drift);
            }
        }
        pass.report("ranking boards", pass.counts.boards);
    }
    Ok(())
}

fn compare_day(pass: &mut Pass<'_>, day: BusinessDay, counted: &Sold, stored: &Sold, drift: &mut Drift) {
    let products: BTreeSet<ProductId> = counted.keys().chain(stored.keys()).copied().collect();
    for product in products {
        let of = |sold: &Sold| sold.get(&product).copied().unwrap_or(0);
        let (counted, stored) = (of(counted), of(stored));
        let suspect = Suspect::Sold(day, product);
        if drift.differs(suspect, stored, counted) {
            let detail = format!("it counts {counted} of product {product} but {stored} were sold");
            pass.findings.suspect(CheckId::A9, suspect, detail);
        }
    }
}

async fn counted(board: &dyn RankingBoard, day: BusinessDay) -> Result<Sold, BoardError> {
    let mut counted = Sold::new();
    loop {
        let page = board.sold(day, counted.last_key_value().map(|(product, _)| *product), PAGE_ROWS as usize).await?;
        let ended = page.len() < PAGE_ROWS as usize;
        counted.extend(page.into_iter().map(entry));
        if ended {
            return Ok(counted);
        }
    }
}

async fn stored(pass: &mut Pass<'_>, from: Timestamp, to: Timestamp) -> Result<Sold, StoreError> {
    let mut stored = Sold::new();
    loop {
        let page = pass.snapshot.sold(from, to, stored.last_key_value().map(|(product, _)| *product), PAGE_ROWS).await?;
        let ended = page.len() < PAGE_ROWS as usize;
        stored.extend(page.into_iter().map(entry));
        if ended {
            return Ok(stored);
        }
    }
}

fn entry(SoldUnits { product_id, units }: SoldUnits) -> (ProductId, u64) {
    (product_id, units)
}
