//! Comments of the proto files, found by descriptor path.

use std::collections::HashMap;

use prost_reflect::DescriptorPool;

/// Every leading comment of the contract.
pub(super) struct Comments {
    texts: HashMap<(String, Vec<i32>), String>,
}

impl Comments {
    pub(super) fn of(pool: &DescriptorPool) -> Self {
        let mut texts = HashMap::new();
        for file in pool.files() {
            let Some(info) = &file.file_descriptor_proto().source_code_info else { continue };
            for at in &info.location {
                let text = flowed(at.leading_comments());
                if !text.is_empty() {
                    texts.insert((file.name().to_owned(), at.path.clone()), text);
                }
            }
        }
        Self { texts }
    }

    /// The comment of the element at this path; empty without one.
    pub(super) fn at(&self, file: &str, path: &[i32]) -> &str {
        self.texts.get(&(file.to_owned(), path.to_vec())).map_or("", String::as_str)
    }
}

/// A comment's lines as paragraphs: a single line break is a space, an empty line a break.
fn flowed(comment: &str) -> String {
    comment
        .trim()
        .split("\n\n")
        .map(|paragraph| paragraph.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" "))
        .collect::<Vec<_>>()
        .join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::flowed;

    #[test]
    fn lines_flow_and_empty_lines_break() {
        assert_eq!(flowed(" One\n two.\n\n Three.\n"), "One two.\n\nThree.");
    }
}
