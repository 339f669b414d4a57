//! The main job, told step by step on a real region: what `make demo` prints, and what a test runs.
//!
//! Every step shows the command and its real output, and checks what it claims; a check that fails ends the story.

mod fake;
mod s3;
mod teller;
mod weka;

pub use teller::Teller;

use crate::Region;

/// Tells the whole story and answers how many steps it had.
///
/// # Panics
/// At the first step that does not hold.
pub fn tell(region: &mut Region) -> usize {
    let mut teller = Teller::default();
    weka::tell(region, &mut teller);
    s3::tell(region, &mut teller);
    fake::tell(region, &mut teller);
    teller.steps()
}
