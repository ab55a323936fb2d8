//! Bodies and attributes of produced messages, from numbers and a seeded source of chance. Pure: no clock, no queue.

use std::collections::BTreeMap;
use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};

use crate::date::timestamp;

const CATEGORIES: [&str; 16] = [
    "Books",
    "Games",
    "Mobiles",
    "Groceries",
    "Shoes",
    "Stationaries",
    "Laptops",
    "Tablets",
    "Notebooks",
    "Camera",
    "Printers",
    "Monitors",
    "Speakers",
    "Projectors",
    "Cables",
    "Furniture",
];

/// What a produced message looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Sales and inventory events with their attributes
    Events,
    /// {"messageNumber":"1"}
    Numbered,
    /// Hello from message 1
    Hello,
    /// Message 1 uuid: ...
    Uuid,
}

/// A message to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    pub body: String,
    pub attributes: BTreeMap<&'static str, String>,
    /// What a FIFO queue knows it by, and keeps it in order with.
    pub id: String,
    pub group: String,
}

/// What was made so far.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Tally {
    pub messages: u64,
    pub bad: u64,
    pub sales: u64,
    pub inventory: u64,
    /// The prices of all sales.
    pub sold: f64,
}

/// Makes messages; the same seed makes the same ones, their dates aside.
#[derive(Debug)]
pub struct Maker {
    pub shape: Shape,
    pub bad_percent: u8,
    pub chance: Rng,
    pub tally: Tally,
}

impl Maker {
    /// The next message; `moment` is since the Unix epoch.
    pub fn next(&mut self, moment: Duration) -> Outgoing {
        self.tally.messages += 1;
        let number = self.tally.messages;
        let id = self.uuid();
        let plain = |body| Outgoing {
            body,
            attributes: BTreeMap::new(),
            id: id.clone(),
            group: "produced".to_owned(),
        };
        match self.shape {
            Shape::Events => self.event(id, moment),
            Shape::Numbered => plain(json!({ "messageNumber": number.to_string() }).to_string()),
            Shape::Hello => plain(format!("Hello from message {number}")),
            Shape::Uuid => plain(format!("Message {number} uuid: {id}")),
        }
    }

    fn event(&mut self, id: String, moment: Duration) -> Outgoing {
        let is_sale = self.chance.bool();
        let priority = self.chance.bool();
        let store = self.chance.u8(1..=10);
        let price = f64::from(self.chance.u16(0..=10_000)) / 100.0;
        let mut event = json!({
            "request_id": id,
            "store_id": store,
            "cust_id": self.chance.u16(100..=999),
            "category": self.chance.choice(CATEGORIES),
            "sku": self.chance.u32(18_981..=189_281),
            "price": price,
            "qty": self.chance.u8(1..=38),
            "discount": f64::from(self.chance.u8(0..=200)) / 10.0,
            "gift_wrap": self.chance.bool(),
            "variant": if self.chance.bool() { "black" } else { "red" },
            "priority_shipping": priority,
            "ts": timestamp(moment, 'T'),
            "contact_me": "github.com/miztiik",
        });
        self.spoil(&mut event);
        self.count(is_sale, price);
        let event_type = if is_sale {
            "sale_event"
        } else {
            "inventory_event"
        };
        let shipping = if priority { "True" } else { "False" };
        Outgoing {
            body: event.to_string(),
            attributes: [
                ("event_type", event_type.to_owned()),
                ("priority_shipping", shipping.to_owned()),
            ]
            .into(),
            id,
            group: format!("store-{store}"),
        }
    }

    /// Half of all events are returns, and some are bad: they have no store.
    fn spoil(&mut self, event: &mut Value) {
        let is_return = self.chance.bool();
        let is_bad = self.chance.u8(0..100) < self.bad_percent;
        let Some(fields) = event.as_object_mut() else {
            return;
        };
        if is_return {
            fields.insert("is_return".into(), true.into());
        }
        if is_bad {
            fields.remove("store_id");
            fields.insert("bad_msg".into(), true.into());
            self.tally.bad += 1;
        }
    }

    fn count(&mut self, is_sale: bool, price: f64) {
        if is_sale {
            self.tally.sales += 1;
            self.tally.sold += price;
        } else {
            self.tally.inventory += 1;
        }
    }

    /// A random UUID, version 4.
    fn uuid(&mut self) -> String {
        let bits = self.chance.u128(..);
        let bits = bits & !(0xf << 76) | (0x4 << 76);
        let bits = bits & !(0x3 << 62) | (0x2 << 62);
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            bits >> 96,
            bits >> 80 & 0xffff,
            bits >> 64 & 0xffff,
            bits >> 48 & 0xffff,
            bits & 0xffff_ffff_ffff
        )
    }
}

impl Tally {
    /// The line that tells what was sent.
    pub fn line(&self, is_complete: bool) -> String {
        json!({ "resp": {
            "status": is_complete,
            "tot_msgs": self.messages,
            "bad_msgs": self.bad,
            "sale_evnts": self.sales,
            "inventory_evnts": self.inventory,
            "tot_sales": (self.sold * 100.0).round() / 100.0,
        }})
        .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given_maker(shape: Shape, bad_percent: u8) -> Maker {
        Maker {
            shape,
            bad_percent,
            chance: Rng::with_seed(7),
            tally: Tally::default(),
        }
    }

    #[test]
    fn a_thousand_events_keep_to_their_shape() {
        let mut maker = given_maker(Shape::Events, 10);
        for _ in 0..1_000 {
            let made = maker.next(Duration::from_secs(1_735_689_599));
            let event: Value = serde_json::from_str(&made.body).unwrap();
            assert_eq!(event["ts"], "2024-12-31T23:59:59");
            assert!((100..=999).contains(&event["cust_id"].as_u64().unwrap()));
            assert!((18_981..=189_281).contains(&event["sku"].as_u64().unwrap()));
            assert!((0.0..=100.0).contains(&event["price"].as_f64().unwrap()));
            assert!((1..=38).contains(&event["qty"].as_u64().unwrap()));
            assert!((0.0..=20.0).contains(&event["discount"].as_f64().unwrap()));
            assert!(CATEGORIES.contains(&event["category"].as_str().unwrap()));
            assert_eq!(event["store_id"].is_u64(), event["bad_msg"].is_null());
            let spelled = if event["priority_shipping"] == true {
                "True"
            } else {
                "False"
            };
            assert_eq!(made.attributes["priority_shipping"], spelled);
        }
        let tally = maker.tally;
        assert!((70..=130).contains(&tally.bad), "{tally:?}");
        assert_eq!(
            (tally.messages, tally.sales + tally.inventory),
            (1_000, 1_000)
        );
    }

    #[test]
    fn the_same_seed_makes_the_same_events() {
        let made = || given_maker(Shape::Events, 10).next(Duration::ZERO);
        assert_eq!(made(), made());
    }

    #[test]
    fn plain_bodies_are_numbered_from_one() {
        let body = |shape| given_maker(shape, 0).next(Duration::ZERO).body;
        assert_eq!(body(Shape::Numbered), r#"{"messageNumber":"1"}"#);
        assert_eq!(body(Shape::Hello), "Hello from message 1");
        let uuid = body(Shape::Uuid);
        let (start, uuid) = uuid.split_once(" uuid: ").unwrap();
        assert_eq!((start, uuid.len()), ("Message 1", 36));
        let parts: Vec<_> = uuid.split('-').map(str::len).collect();
        assert_eq!((parts, &uuid[14..15]), (vec![8, 4, 4, 4, 12], "4"));
    }
}
