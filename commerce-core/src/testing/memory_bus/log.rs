use crate::messaging::{BusError, Delivery, Group, Message, Source, Topic};
use std::collections::{BTreeMap, HashMap};

/// Few enough that aggregates share one, enough that they do not all share one.
const PARTITIONS: i32 = 8;

/// A partition of a topic.
pub(super) type Place = (Topic, i32);

/// The messages, and how far each group has come.
#[derive(Default)]
pub(super) struct Log {
    partitions: BTreeMap<Place, Vec<Message>>,
    cursors: BTreeMap<(Group, Place), Cursor>,
    copies: Vec<Message>,
    last_reader: u64,
}

/// How far a group has come in a partition.
#[derive(Default)]
struct Cursor {
    acknowledged: usize,
    /// The reader that has polled beyond what is acknowledged, and how far.
    taken: Option<(u64, usize)>,
}

impl Log {
    /// Adds messages, or none if one of them names an unknown topic.
    pub(super) fn append(&mut self, messages: &[Message]) -> Result<(), BusError> {
        let is_copy = |message: &Message| Topic::ALL.iter().any(|topic| topic.dead_letter_name() == message.topic);
        let place = |message: &Message| {
            let topic = Topic::named(&message.topic);
            let partition = i32::try_from(message.aggregate_id.rem_euclid(i64::from(PARTITIONS))).unwrap_or(0);
            topic.map(|topic| (topic, partition))
        };
        if let Some(stray) = messages.iter().find(|message| place(message).is_none() && !is_copy(message)) {
            return Err(BusError(format!("unknown topic {:?}", stray.topic).into()));
        }
        for message in messages {
            match place(message) {
                Some(place) => self.partitions.entry(place).or_default().push(message.clone()),
                None => self.copies.push(message.clone()),
            }
        }
        Ok(())
    }

    /// The copies of dead letters.
    pub(super) fn copies(&self) -> &[Message] {
        &self.copies
    }

    /// The number under which a new reader takes partitions.
    pub(super) fn new_reader(&mut self) -> u64 {
        self.last_reader += 1;
        self.last_reader
    }

    /// The partitions of these topics.
    pub(super) fn places(topics: &[Topic]) -> Vec<Place> {
        topics.iter().flat_map(|&topic| (0..PARTITIONS).map(move |partition| (topic, partition))).collect()
    }

    /// Where each partition of these topics ends.
    pub(super) fn ends(&self, topics: &[Topic]) -> HashMap<Place, usize> {
        Self::places(topics).into_iter().map(|place| (place, self.end(place))).collect()
    }

    fn end(&self, place: Place) -> usize {
        self.partitions.get(&place).map_or(0, Vec::len)
    }

    /// At most `max` messages of a partition from `offset` on.
    pub(super) fn read(&self, place: Place, offset: usize, max: usize) -> Vec<Delivery> {
        let (topic, partition) = place;
        let messages = self.partitions.get(&place).into_iter().flatten().enumerate().skip(offset).take(max);
        messages
            .map(|(offset, message)| {
                let offset = i64::try_from(offset).unwrap_or(i64::MAX);
                Delivery::new(Source { topic, partition, offset }, message.clone())
            })
            .collect()
    }

    /// Whether a partition has messages from `offset` on.
    pub(super) fn has_more(&self, place: Place, offset: usize) -> bool {
        self.end(place) > offset
    }

    /// Whether a reader can take messages of a partition now.
    pub(super) fn can_take(&self, group: Group, reader: u64, place: Place) -> bool {
        let end = self.end(place);
        end > 0
            && self.cursors.get(&(group, place)).is_none_or(|cursor| match cursor.taken {
                Some((other, polled)) => other == reader && polled < end,
                None => cursor.acknowledged < end,
            })
    }

    /// Takes at most `max` messages of a partition for a reader, unless another reader of the group has messages of it.
    pub(super) fn take(&mut self, group: Group, reader: u64, place: Place, max: usize) -> Vec<Delivery> {
        let cursor = self.cursors.entry((group, place)).or_default();
        let offset = match cursor.taken {
            Some((other, _)) if other != reader => return Vec::new(),
            Some((_, polled)) => polled,
            None => cursor.acknowledged,
        };
        let found = self.read(place, offset, max);
        if let Some(cursor) = self.cursors.get_mut(&(group, place)).filter(|_| !found.is_empty()) {
            cursor.taken = Some((reader, offset + found.len()));
        }
        found
    }

    /// Notes that a reader has handled all it took, except that `forget` says of how many messages of a partition the group forgets it.
    pub(super) fn acknowledge(&mut self, group: Group, reader: u64, mut forget: impl FnMut() -> usize) {
        for cursor in self.taken_by(group, reader) {
            if let Some((_, polled)) = cursor.taken.take() {
                cursor.acknowledged = polled.saturating_sub(forget()).max(cursor.acknowledged);
            }
        }
    }

    /// Lets a reader go: what it took and did not acknowledge comes again.
    pub(super) fn leave(&mut self, group: Group, reader: u64) {
        self.taken_by(group, reader).for_each(|cursor| cursor.taken = None);
    }

    fn taken_by(&mut self, group: Group, reader: u64) -> impl Iterator<Item = &mut Cursor> {
        let of_group = self.cursors.iter_mut().filter(move |((other, _), _)| *other == group).map(|(_, cursor)| cursor);
        of_group.filter(move |cursor| cursor.taken.is_some_and(|(owner, _)| owner == reader))
    }

    /// How many messages of these topics a group has not acknowledged.
    pub(super) fn lag(&self, group: Group, topics: &[Topic]) -> u64 {
        let acknowledged = |place| self.cursors.get(&(group, place)).map_or(0, |cursor| cursor.acknowledged);
        let lag: usize = Self::places(topics).into_iter().map(|place| self.end(place) - acknowledged(place)).sum();
        u64::try_from(lag).unwrap_or(u64::MAX)
    }

    /// All messages of a topic.
    pub(super) fn messages(&self, topic: Topic) -> Vec<Message> {
        self.partitions.iter().filter(|((other, _), _)| *other == topic).flat_map(|(_, messages)| messages).cloned().collect()
    }
}
