;; Two tables that grow in turn until the guest is stopped.
(module
  (memory (export "memory") 1)
  (table $a 1 funcref)
  (table $b 1 funcref)
  ;; A description: its name at 2048, everything else empty.
  (data (i32.const 1024) "\00\08\00\00\0c\00\00\00")
  (data (i32.const 2048) "table-growth")
  (func (export "stowage:provider/identity@0.1.0#describe") (result i32) (i32.const 1024))
  (func (export "stowage:provider/health@0.1.0#probe") (param i32 i32 i32) (result i32)
    (loop $on
      (drop (table.grow $a (ref.null func) (i32.const 1000)))
      (drop (table.grow $b (ref.null func) (i32.const 1000)))
      (br $on))
    (unreachable))
  (func (export "stowage:provider/health@0.1.0#preflight") (param i32 i32 i32) (result i32) (unreachable))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096)))
