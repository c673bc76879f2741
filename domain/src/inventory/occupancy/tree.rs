//! An AVL tree of changes by instant. Each node knows the sum of its subtree and the highest sum of any of its beginnings,
//! so that both are known for any range of instants in O(log n), in the worst case.

use crate::Instant;
use std::cmp::Ordering;

/// No node.
const NIL: u32 = u32::MAX;

/// Changes by instant; none of them is zero.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    /// Places in `nodes` that are free again.
    free: Vec<u32>,
    root: u32,
}

#[derive(Debug, Clone)]
struct Node {
    at: Instant,
    change: i64,
    left: u32,
    right: u32,
    height: u8,
    /// Of all changes in this subtree.
    sum: i64,
    /// The highest sum of the first n changes of this subtree, n from 0: never negative.
    peak: i64,
}

impl Default for Tree {
    fn default() -> Self {
        Self { nodes: Vec::new(), free: Vec::new(), root: NIL }
    }
}

/// Equal contents, whatever the shape.
impl PartialEq for Tree {
    fn eq(&self, other: &Self) -> bool {
        self.changes() == other.changes()
    }
}

impl Eq for Tree {}

impl Tree {
    /// Adds to the change at an instant.
    pub(super) fn add(&mut self, at: Instant, change: i64) {
        if change != 0 {
            self.root = self.add_below(self.root, at, change);
        }
    }

    /// The first change.
    pub(super) fn first(&self) -> Option<(Instant, i64)> {
        let node = self.node(self.leftmost(self.root)?)?;
        Some((node.at, node.change))
    }

    /// The sum of all changes until and at an instant.
    pub(super) fn sum_until(&self, at: Instant) -> i64 {
        let (mut place, mut sum) = (self.root, 0);
        while let Some(node) = self.node(place) {
            if node.at <= at {
                sum += self.sum(node.left) + node.change;
                place = node.right;
            } else {
                place = node.left;
            }
        }
        sum
    }

    /// The highest sum of the first n changes strictly between two instants, n from 0; without an end, of all after.
    pub(super) fn peak_between(&self, from: Instant, to: Option<Instant>) -> i64 {
        self.range(self.root, Some(from), to).1
    }

    /// All changes, in order.
    pub(super) fn changes(&self) -> Vec<(Instant, i64)> {
        let mut changes = Vec::with_capacity(self.nodes.len() - self.free.len());
        let (mut place, mut above) = (self.root, Vec::new());
        loop {
            while let Some(node) = self.node(place) {
                above.push(node);
                place = node.left;
            }
            let Some(node) = above.pop() else { return changes };
            changes.push((node.at, node.change));
            place = node.right;
        }
    }

    /// Sum and peak of the part of a subtree that is after `from` and before `to`. Each level of the tree is visited at
    /// most twice, once for each end of the range.
    fn range(&self, place: u32, from: Option<Instant>, to: Option<Instant>) -> (i64, i64) {
        let Some(node) = self.node(place) else { return (0, 0) };
        if from.is_none() && to.is_none() {
            return (node.sum, node.peak);
        }
        if from.is_some_and(|from| node.at <= from) {
            return self.range(node.right, from, to);
        }
        if to.is_some_and(|to| to <= node.at) {
            return self.range(node.left, from, to);
        }
        let left = self.range(node.left, from, None);
        let right = self.range(node.right, None, to);
        joined(left, node.change, right)
    }

    fn add_below(&mut self, place: u32, at: Instant, change: i64) -> u32 {
        let Some(node) = self.node_mut(place) else { return self.insert(at, change) };
        match at.cmp(&node.at) {
            Ordering::Less => {
                let left = node.left;
                let left = self.add_below(left, at, change);
                self.with(place, |node| node.left = left);
            }
            Ordering::Greater => {
                let right = node.right;
                let right = self.add_below(right, at, change);
                self.with(place, |node| node.right = right);
            }
            Ordering::Equal => {
                node.change += change;
                if node.change == 0 {
                    return self.remove(place);
                }
            }
        }
        self.balanced(place)
    }

    fn insert(&mut self, at: Instant, change: i64) -> u32 {
        let node = Node { at, change, left: NIL, right: NIL, height: 1, sum: change, peak: change.max(0) };
        if let Some(place) = self.free.pop() {
            self.with(place, |free| *free = node);
            return place;
        }
        self.nodes.push(node);
        // An item would need four thousand million steps to come to the end of this.
        u32::try_from(self.nodes.len() - 1).unwrap_or(NIL)
    }

    /// Takes a node out; what takes its place.
    fn remove(&mut self, place: u32) -> u32 {
        let Some(node) = self.node(place) else { return NIL };
        let (left, right) = (node.left, node.right);
        self.free.push(place);
        let Some(next) = self.leftmost(right) else { return left };
        let right = self.without_first(right);
        self.with(next, |node| (node.left, node.right) = (left, right));
        self.balanced(next)
    }

    /// A subtree without its first node, which is not freed.
    fn without_first(&mut self, place: u32) -> u32 {
        let Some(node) = self.node(place) else { return NIL };
        let (left, right) = (node.left, node.right);
        if left == NIL {
            return right;
        }
        let left = self.without_first(left);
        self.with(place, |node| node.left = left);
        self.balanced(place)
    }

    /// A subtree whose two sides differ by at most two levels, with the difference made at most one.
    fn balanced(&mut self, place: u32) -> u32 {
        let (left, right) = self.sides(place);
        let (tall_left, tall_right) = (self.height(left), self.height(right));
        if tall_left > tall_right + 1 {
            let (outer, inner) = self.sides(left);
            if self.height(outer) < self.height(inner) {
                let left = self.rotated_left(left);
                self.with(place, |node| node.left = left);
            }
            return self.rotated_right(place);
        }
        if tall_right > tall_left + 1 {
            let (inner, outer) = self.sides(right);
            if self.height(outer) < self.height(inner) {
                let right = self.rotated_right(right);
                self.with(place, |node| node.right = right);
            }
            return self.rotated_left(place);
        }
        self.sum_up(place);
        place
    }

    fn rotated_right(&mut self, place: u32) -> u32 {
        let (top, _) = self.sides(place);
        let (_, between) = self.sides(top);
        self.with(place, |node| node.left = between);
        self.sum_up(place);
        self.with(top, |node| node.right = place);
        self.sum_up(top);
        top
    }

    fn rotated_left(&mut self, place: u32) -> u32 {
        let (_, top) = self.sides(place);
        let (between, _) = self.sides(top);
        self.with(place, |node| node.right = between);
        self.sum_up(place);
        self.with(top, |node| node.left = place);
        self.sum_up(top);
        top
    }

    /// Computes what a node knows about its subtree from what its two sides know about theirs.
    fn sum_up(&mut self, place: u32) {
        let (left, right) = self.sides(place);
        let height = 1 + self.height(left).max(self.height(right));
        let (left, right) = ((self.sum(left), self.peak(left)), (self.sum(right), self.peak(right)));
        self.with(place, |node| {
            node.height = height;
            (node.sum, node.peak) = joined(left, node.change, right);
        });
    }

    fn leftmost(&self, mut place: u32) -> Option<u32> {
        let mut found = None;
        while let Some(node) = self.node(place) {
            found = Some(place);
            place = node.left;
        }
        found
    }

    fn node(&self, place: u32) -> Option<&Node> {
        self.nodes.get(place as usize)
    }

    fn node_mut(&mut self, place: u32) -> Option<&mut Node> {
        self.nodes.get_mut(place as usize)
    }

    fn with(&mut self, place: u32, change: impl FnOnce(&mut Node)) {
        self.node_mut(place).map(change);
    }

    fn sides(&self, place: u32) -> (u32, u32) {
        self.node(place).map_or((NIL, NIL), |node| (node.left, node.right))
    }

    fn height(&self, place: u32) -> u8 {
        self.node(place).map_or(0, |node| node.height)
    }

    fn sum(&self, place: u32) -> i64 {
        self.node(place).map_or(0, |node| node.sum)
    }

    fn peak(&self, place: u32) -> i64 {
        self.node(place).map_or(0, |node| node.peak)
    }

    /// The height of the tree.
    #[cfg(test)]
    pub(super) fn levels(&self) -> u8 {
        self.height(self.root)
    }
}

/// Sum and peak of two neighbouring parts with a change between them.
fn joined(left: (i64, i64), change: i64, right: (i64, i64)) -> (i64, i64) {
    let middle = left.0 + change;
    (middle + right.0, left.1.max(middle + right.1))
}
