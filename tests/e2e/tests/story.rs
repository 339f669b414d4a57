//! The whole story of `make demo` holds.

use stowage_e2e::{Region, story};

#[test]
fn the_story_of_the_demo_holds_from_the_first_to_the_last_step() {
    let mut region = Region::start("live-4.4.22");
    assert!(story::tell(&mut region) > 10, "steps were told");
}
