//! The rows themselves.

use serde::{Deserialize, Serialize};

use super::{LimitError, Row, schema_of};

macro_rules! limits {
    (
        $(#[$set_doc:meta])* $set:ident {
            $( $name:ident = $default:literal, $min:literal ..= $max:literal, $unit:literal, $on_hit:literal, $doc:literal; )+
        }
    ) => {
        $(#[$set_doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $set {
            $( #[doc = $doc] #[doc = concat!("In ", $unit, ". On a hit: ", $on_hit, ".")] pub $name: u64, )+
        }

        impl Default for $set {
            fn default() -> Self {
                Self { $( $name: $default, )+ }
            }
        }

        impl $set {
            /// The rows, in the order of the fields.
            pub const ROWS: &'static [Row] = &[ $( Row {
                name: stringify!($name), default: $default, min: $min, max: $max,
                unit: $unit, on_hit: $on_hit, doc: $doc,
            }, )+ ];

            /// Whether every value is in its range.
            pub fn check(&self) -> Result<(), LimitError> {
                $( if !($min..=$max).contains(&self.$name) {
                    return Err(LimitError {
                        name: stringify!($name), value: self.$name, unit: $unit, min: $min, max: $max,
                    });
                } )+
                Ok(())
            }

            /// JSON Schema of the configuration's part.
            #[must_use]
            pub fn schema() -> serde_json::Value {
                schema_of(Self::ROWS)
            }
        }
    };
}

limits! {
    /// What one call of one provider may use.
    CallLimits {
        cpu_ms = 1000, 1 ..= 60_000, "milliseconds", "`limit.cpu`",
            "Time that the guest computes; waiting in a host call does not count. Checked at each epoch tick.";
        wall_ms = 60_000, 10 ..= 600_000, "milliseconds", "`limit.wall`",
            "Time from start to end, host calls included. The caller's own deadline may be nearer (`limit.deadline`).";
        memory_bytes = 67_108_864, 1_048_576 ..= 268_435_456, "bytes", "`limit.memory`",
            "Sum of all linear memories of the instance, not of each.";
        memories = 4, 1 ..= 16, "memories", "`limit.memories`",
            "Linear memories of the instance.";
        tables = 8, 1 ..= 32, "tables", "`limit.tables`",
            "Tables of the instance.";
        table_elements = 20_000, 100 ..= 100_000, "elements", "`limit.table-elements`",
            "Sum of the elements of all tables.";
        core_instances = 16, 1 ..= 64, "instances", "`limit.instances`",
            "Core instances that the component is made of.";
        handles = 1000, 16 ..= 100_000, "handles", "`limit.handles`",
            "Live component handles and host resources.";
        transfer_bytes = 8_388_608, 65_536 ..= 67_108_864, "bytes", "`limit.transfer`",
            "What the guest hands to the host in one host call.";
        result_bytes = 4_194_304, 4096 ..= 67_108_864, "bytes", "`limit.result`",
            "What the guest's answer holds.";
        host_calls = 10_000, 16 ..= 1_000_000, "calls", "`limit.host-calls`",
            "Calls into the contract's imports.";
        exchanges = 256, 1 ..= 100_000, "exchanges", "`limit.exchanges`",
            "HTTP exchanges.";
        log_lines = 100, 0 ..= 10_000, "lines", "dropped and counted",
            "Log lines, standard output and error included.";
        log_line_bytes = 1024, 64 ..= 65_536, "bytes", "cut",
            "One log line with its fields.";
        random_bytes = 65_536, 64 ..= 1_048_576, "bytes", "`limit.random`",
            "Random bytes in one call of `wasi:random`.";
        concurrent_calls = 64, 1 ..= 4096, "calls", "`limit.queue`",
            "Calls of one provider at a time, so that a slow backend cannot take every place.";
    }
}

limits! {
    /// What the process gives to all providers together.
    EngineLimits {
        concurrent_calls = 256, 1 ..= 4096, "calls", "`limit.queue`",
            "Calls of all providers at a time. The pool has more places than this, so it is never found full.";
        queue_ms = 2000, 0 ..= 60_000, "milliseconds", "`limit.queue`",
            "How long a call waits for a place.";
        stack_bytes = 524_288, 65_536 ..= 1_048_576, "bytes", "`limit.stack`",
            "Stack of the guest.";
        component_bytes = 33_554_432, 1024 ..= 268_435_456, "bytes", "refused at admission",
            "Size of a component.";
        describe_cpu_ms = 200, 1 ..= 10_000, "milliseconds", "refused at admission",
            "Time that `identity.describe` computes.";
        describe_wall_ms = 2000, 10 ..= 60_000, "milliseconds", "refused at admission",
            "Time that `identity.describe` takes.";
        description_bytes = 1_048_576, 4096 ..= 16_777_216, "bytes", "refused at admission",
            "Size of a description.";
        config_bytes = 65_536, 64 ..= 1_048_576, "bytes", "refused at binding",
            "Size of a provider's configuration as JSON.";
    }
}
