//! What admission refuses, and what the digest covers.
