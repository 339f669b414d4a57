//! The plugin's schema of its configuration.

use jsonschema::{PatternOptions, ValidationError, Validator, error::ValidationErrorKind};
use serde_json::{Value, json};

use crate::error::AdmitError;

/// A compiled schema.
#[derive(Debug)]
pub(super) struct Schema(Validator);

impl Schema {
    /// Compiles the text of a description. An empty text takes no configuration. References to files or the network are
    /// not followed, and patterns run on an engine without backtracking: the schema is the plugin's.
    pub(super) fn new(text: &str) -> Result<Self, AdmitError> {
        let field = |problem: String| AdmitError::Description { field: "config-schema".to_owned(), problem };
        let schema: Value = if text.trim().is_empty() {
            json!({ "type": "object", "additionalProperties": false })
        } else {
            serde_json::from_str(text).map_err(|error| field(format!("is not JSON: {error}")))?
        };
        jsonschema::options()
            .with_pattern_options(PatternOptions::regex())
            .build(&schema)
            .map(Self)
            .map_err(|error| field(format!("is not a JSON Schema: {error}")))
    }

    /// Checks a configuration; the error names the first wrong field. Answers the text that the guest gets.
    pub(super) fn check(&self, config: &Value, limit: u64) -> Result<String, AdmitError> {
        if let Some(error) = self.0.iter_errors(config).next() {
            return Err(AdmitError::Config { path: error.instance_path().to_string(), problem: told(&error) });
        }
        let text = config.to_string();
        let bytes = u64::try_from(text.len()).unwrap_or(u64::MAX);
        if bytes > limit {
            let problem = format!("has {bytes} bytes, over the limit `config_bytes` of {limit}");
            return Err(AdmitError::Config { path: String::new(), problem });
        }
        Ok(text)
    }
}

/// What is wrong, without the value, which may be a secret that stands in the wrong place.
fn told(error: &ValidationError<'_>) -> String {
    if let ValidationErrorKind::Not { schema } = error.kind()
        && let Some(words) = schema.get("enum")
    {
        return format!("must be none of {words}");
    }
    error.masked().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = r#"{ "type": "object", "additionalProperties": false, "required": ["group"],
        "properties": { "group": { "type": "string", "pattern": "^[a-z]+$" },
                        "net": { "type": "object", "properties": { "mtu": { "type": "integer", "maximum": 9000 } } } } }"#;

    fn problem(schema: &str, config: Value) -> String {
        let checked = Schema::new(schema).and_then(|schema| schema.check(&config, 1000));
        checked.err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn the_error_names_the_field() {
        assert_eq!(problem(SCHEMA, json!({ "group": "default" })), "");
        let deep = problem(SCHEMA, json!({ "group": "a", "net": { "mtu": 10000 } }));
        assert!(deep.starts_with("config/net/mtu: "), "{deep}");
        assert!(problem(SCHEMA, json!({})).contains("group"));
        assert!(problem(SCHEMA, json!({ "group": "a", "colour": 1 })).contains("colour"));
    }

    #[test]
    fn a_wrong_value_is_not_repeated_in_the_error() {
        let text = problem(SCHEMA, json!({ "group": "HUNTER-2" }));
        assert!(text.starts_with("config/group: ") && !text.contains("HUNTER"), "{text}");
    }

    #[test]
    fn reserved_words_are_told() {
        let schema = r#"{ "properties": { "filesystem": { "not": { "enum": ["default", "s3-data"] } } } }"#;
        let text = problem(schema, json!({ "filesystem": "default" }));
        assert_eq!(text, r#"config/filesystem: must be none of ["default","s3-data"]"#);
    }

    #[test]
    fn an_empty_schema_takes_no_configuration() {
        assert_eq!(problem("", json!({})), "");
        assert!(problem("", json!({ "a": 1 })).contains('a'));
    }

    #[test]
    fn a_schema_that_refers_to_the_network_is_refused() {
        assert!(problem(r#"{ "$ref": "http://169.254.169.254/schema" }"#, json!({})).contains("config-schema"));
    }

    #[test]
    fn a_large_configuration_is_refused() {
        let text = problem("true", json!({ "a": "x".repeat(2000) }));
        assert!(text.contains("config_bytes"), "{text}");
    }
}
