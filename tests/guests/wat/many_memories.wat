;; Four memories of 20 MiB each: every one fits, together they do not.
(module
  (memory (export "memory") 1)
  (memory $b 0)
  (memory $c 0)
  (memory $d 0)
  ;; A description: its name at 2048, everything else empty.
  (data (i32.const 1024) "\00\08\00\00\0d\00\00\00")
  (data (i32.const 2048) "many-memories")
  (func (export "stowage:provider/identity@0.1.0#describe") (result i32) (i32.const 1024))
  (func (export "stowage:provider/health@0.1.0#probe") (param i32 i32 i32) (result i32)
    (drop (memory.grow 0 (i32.const 320)))
    (drop (memory.grow $b (i32.const 320)))
    (drop (memory.grow $c (i32.const 320)))
    (drop (memory.grow $d (i32.const 320)))
    (unreachable))
  (func (export "stowage:provider/health@0.1.0#preflight") (param i32 i32 i32) (result i32) (unreachable))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096)))
