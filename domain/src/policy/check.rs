//! What a policy may not say: fields out of range, and fields that contradict each other.

use super::{Action, By, PaymentTiming, Policy, PolicyError, PricePer, Rules, StockKind, Words, require};
use crate::StoreSlug;
use crate::aggregate::fits;

const DAY_S: u32 = 86_400;

impl Policy {
    /// Whether it can be used.
    ///
    /// # Errors
    /// The first contradiction, by the dotted path of its field.
    pub fn check(&self) -> Result<(), PolicyError> {
        let slug = self.name.parse::<StoreSlug>().is_ok();
        require(slug, "name", "1 to 63 of a-z, 0-9 and inner dashes")?;
        self.rules.check()?;
        self.words.check()?;
        self.check_messages()
    }
}

impl Rules {
    fn check(&self) -> Result<(), PolicyError> {
        self.check_steps()?;
        self.check_kiosk()?;
        let pool = self.stock == StockKind::Pool;
        require(self.comes_back == pool, "rules.comes_back", "units of a pool come back, and nothing else does")?;
        require(pool || self.price_per == PricePer::Unit, "rules.price_per", "only a pool has a price per day")?;
        require((10..=DAY_S).contains(&self.hold_s), "rules.hold_s", "10 seconds to one day")?;
        require(self.quota != Some(0), "rules.quota", "at least 1; leave it out for no limit")?;
        require(pool || self.turnaround_s == 0, "rules.turnaround_s", "only units of a pool rest")?;
        require(self.turnaround_s <= 30 * DAY_S, "rules.turnaround_s", "at most 30 days")?;
        self.check_waiting(pool)?;
        self.check_extension()?;
        self.check_fees(pool)
    }

    fn check_extension(&self) -> Result<(), PolicyError> {
        let Some(extension) = self.extension else { return Ok(()) };
        require(self.comes_back, "rules.extension", "only what comes back can stay longer")?;
        require((1..=10).contains(&extension.most), "rules.extension.most", "1 to 10 times; leave it out for never")
    }

    fn check_waiting(&self, pool: bool) -> Result<(), PolicyError> {
        if let Some(list) = self.waiting_list {
            let offer = (60..=30 * DAY_S).contains(&list.offer_s);
            require(offer, "rules.waiting_list.offer_s", "a minute to 30 days")?;
            let rests = self.turnaround_s > 0;
            require(
                !rests,
                "rules.waiting_list",
                "what rests between two rentals cannot go to the first in line at once",
            )?;
        }
        if let Some(no_show_s) = self.no_show_s {
            require(pool, "rules.no_show_s", "without a period nobody is late to fetch it")?;
            require((60..=30 * DAY_S).contains(&no_show_s), "rules.no_show_s", "a minute to 30 days")?;
        }
        Ok(())
    }

    fn check_steps(&self) -> Result<(), PolicyError> {
        let actions: Vec<Action> = self.steps.iter().map(|step| step.action).collect();
        let known = matches!(actions.as_slice(), [Action::HandOver] | [Action::Prepare, Action::HandOver]);
        require(known, "rules.steps", "`hand_over`, or `prepare` and then `hand_over`")
    }

    fn check_kiosk(&self) -> Result<(), PolicyError> {
        require(!self.kiosk || self.comes_back, "rules.kiosk", "a kiosk lends only what comes back")?;
        let by_staff = self.steps.iter().any(|step| step.action == Action::HandOver && step.by == By::Staff);
        require(!self.kiosk || by_staff, "rules.kiosk", "what the engine hands over is not left for a kiosk to lend")
    }

    fn check_fees(&self, pool: bool) -> Result<(), PolicyError> {
        let paid = self.payment != PaymentTiming::None;
        let fee = self.cancellation.fee_percent;
        require(fee <= 100, "rules.cancellation.fee_percent", "at most 100")?;
        require(fee == 0 || pool, "rules.cancellation.fee_percent", "without a period cancelling is always free")?;
        require(fee == 0 || paid, "rules.cancellation.fee_percent", "without a payment there is nothing to keep")?;
        let free_until = self.cancellation.free_until_s;
        require(free_until <= 366 * DAY_S, "rules.cancellation.free_until_s", "at most 366 days")?;
        let late = self.late_fee_percent;
        require(late <= 1000, "rules.late_fee_percent", "at most 1000")?;
        require(late == 0 || self.comes_back, "rules.late_fee_percent", "only what comes back can be late")?;
        require(late == 0 || paid, "rules.late_fee_percent", "without a payment there is no price to take it of")
    }
}

impl Words {
    fn check(&self) -> Result<(), PolicyError> {
        require(fits(&self.rental, 40), "words.rental", "1 to 40 characters")?;
        require(fits(&self.item, 40), "words.item", "1 to 40 characters")?;
        require(self.status.values().all(|word| fits(word, 40)), "words.status", "1 to 40 characters each")
    }
}
