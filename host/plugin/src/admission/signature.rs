//! The first difference between two signatures, in a vendor's words.

use wit_parser::{Function, Resolve, Type, TypeDefKind, TypeId};

/// Compares a function of the contract with a component's. Names of types do not count, names of fields and cases do.
pub(super) fn difference(host: &Resolve, expected: &Function, guest: &Resolve, found: &Function) -> Option<String> {
    let mut compare = Compare { host, guest, same: Vec::new() };
    if expected.params.len() != found.params.len() {
        return Some(format!("it takes {} parameters, not {}", found.params.len(), expected.params.len()));
    }
    for (own, theirs) in expected.params.iter().zip(&found.params) {
        if own.name != theirs.name {
            return Some(format!("its parameter is named `{}`, not `{}`", theirs.name, own.name));
        }
        if let Some(found) = compare.types(&own.ty, &theirs.ty) {
            return Some(format!("parameter `{}`: {found}", own.name));
        }
    }
    compare.optional(expected.result.as_ref(), found.result.as_ref()).map(|found| format!("result: {found}"))
}

struct Compare<'a> {
    host: &'a Resolve,
    guest: &'a Resolve,
    /// Pairs that were found equal: the contract's types are used many times over.
    same: Vec<(TypeId, TypeId)>,
}

impl Compare<'_> {
    fn optional(&mut self, own: Option<&Type>, theirs: Option<&Type>) -> Option<String> {
        match (own, theirs) {
            (None, None) => None,
            (Some(own), Some(theirs)) => self.types(own, theirs),
            (Some(_), None) => Some("nothing where the contract has a value".to_owned()),
            (None, Some(_)) => Some("a value where the contract has nothing".to_owned()),
        }
    }

    fn types(&mut self, own: &Type, theirs: &Type) -> Option<String> {
        let own = plain(self.host, own);
        let theirs = plain(self.guest, theirs);
        let (Type::Id(a), Type::Id(b)) = (own, theirs) else {
            return (own != theirs)
                .then(|| format!("{} where the contract has {}", shape(self.guest, &theirs), shape(self.host, &own)));
        };
        if self.same.contains(&(a, b)) {
            return None;
        }
        let found = self.definitions(a, b);
        if found.is_none() {
            self.same.push((a, b));
        }
        found
    }

    fn definitions(&mut self, a: TypeId, b: TypeId) -> Option<String> {
        let (host, guest) = (self.host, self.guest);
        let (own, theirs) = (host.types.get(a)?, guest.types.get(b)?);
        let name = own.name.as_deref().unwrap_or("");
        match (&own.kind, &theirs.kind) {
            (TypeDefKind::Record(own), TypeDefKind::Record(theirs)) => {
                let names = |fields: &[wit_parser::Field]| fields.iter().map(|f| f.name.clone()).collect::<Vec<_>>();
                if let Some(found) = words("fields", &names(&own.fields), &names(&theirs.fields)) {
                    return Some(format!("record `{name}` {found}"));
                }
                own.fields.iter().zip(&theirs.fields).find_map(|(a, b)| {
                    self.types(&a.ty, &b.ty).map(|found| format!("record `{name}`, field `{}`: {found}", a.name))
                })
            }
            (TypeDefKind::Variant(own), TypeDefKind::Variant(theirs)) => {
                let names = |cases: &[wit_parser::Case]| cases.iter().map(|c| c.name.clone()).collect::<Vec<_>>();
                if let Some(found) = words("cases", &names(&own.cases), &names(&theirs.cases)) {
                    return Some(format!("variant `{name}` {found}"));
                }
                own.cases.iter().zip(&theirs.cases).find_map(|(a, b)| {
                    self.optional(a.ty.as_ref(), b.ty.as_ref())
                        .map(|found| format!("variant `{name}`, case `{}`: {found}", a.name))
                })
            }
            (TypeDefKind::Option(own), TypeDefKind::Option(theirs)) => {
                self.types(own, theirs).map(|found| format!("option: {found}"))
            }
            (TypeDefKind::List(own), TypeDefKind::List(theirs)) => {
                self.types(own, theirs).map(|found| format!("list: {found}"))
            }
            (TypeDefKind::Tuple(own), TypeDefKind::Tuple(theirs)) if own.types.len() == theirs.types.len() => own
                .types
                .iter()
                .zip(&theirs.types)
                .find_map(|(a, b)| self.types(a, b).map(|found| format!("tuple: {found}"))),
            (TypeDefKind::Result(own), TypeDefKind::Result(theirs)) => {
                self.optional(own.ok.as_ref(), theirs.ok.as_ref()).map(|found| format!("ok: {found}")).or_else(|| {
                    self.optional(own.err.as_ref(), theirs.err.as_ref()).map(|found| format!("error: {found}"))
                })
            }
            _ => Some(format!("{} where the contract has {}", shape(guest, &Type::Id(b)), shape(host, &Type::Id(a)))),
        }
    }
}

/// Follows `use` and `type` to what stands behind them.
fn plain(resolve: &Resolve, of: &Type) -> Type {
    let mut of = *of;
    while let Type::Id(id) = of {
        match resolve.types.get(id).map(|definition| &definition.kind) {
            Some(TypeDefKind::Type(behind)) => of = *behind,
            _ => break,
        }
    }
    of
}

fn shape(resolve: &Resolve, of: &Type) -> String {
    match of {
        Type::Id(id) => match resolve.types.get(*id) {
            Some(definition) => match &definition.name {
                Some(name) => format!("{} `{name}`", definition.kind.as_str()),
                None => format!("a {}", definition.kind.as_str()),
            },
            None => "an unknown type".to_owned(),
        },
        simple => format!("{simple:?}").to_lowercase(),
    }
}

fn words(what: &str, own: &[String], theirs: &[String]) -> Option<String> {
    if own == theirs {
        return None;
    }
    if let Some(missing) = own.iter().find(|name| !theirs.contains(name)) {
        return Some(format!("lacks `{missing}` among its {what}"));
    }
    if let Some(more) = theirs.iter().find(|name| !own.contains(name)) {
        return Some(format!("has `{more}` among its {what}, which the contract has not"));
    }
    Some(format!("has its {what} in another order"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(body: &str) -> (Resolve, Function) {
        let text = format!("package t:t; interface i {{ {body} }}");
        let mut resolve = Resolve::default();
        let package = resolve.push_str("t.wit", &text).unwrap();
        let interface = resolve.packages[package].interfaces["i"];
        let function = resolve.interfaces[interface].functions[0].clone();
        (resolve, function)
    }

    fn between(own: &str, theirs: &str) -> String {
        let ((host, own), (guest, theirs)) = (function(own), function(theirs));
        difference(&host, &own, &guest, &theirs).unwrap_or_default()
    }

    #[test]
    fn the_first_difference_is_named_from_the_outside_in() {
        let own = "record r { a: u32, b: option<v> } variant v { x, y(string), other(string) } f: func(r: r) -> result<v, u8>;";
        let cases = [
            (own.to_owned(), ""),
            (own.replace("a: u32", "a: u64"), "parameter `r`: record `r`, field `a`: u64 where the contract has u32"),
            (own.replace("a: u32, ", ""), "parameter `r`: record `r` lacks `a` among its fields"),
            (
                own.replace("x, y", "x, z, y"),
                "parameter `r`: record `r`, field `b`: option: variant `v` has `z` among its cases, which the contract has not",
            ),
            (
                own.replace("x, y(string)", "y(string), x"),
                "parameter `r`: record `r`, field `b`: option: variant `v` has its cases in another order",
            ),
            (own.replace("u8>", "u16>"), "result: error: u16 where the contract has u8"),
            (own.replace(" -> result<v, u8>", ""), "result: nothing where the contract has a value"),
            (own.replace("(r: r)", "()"), "it takes 0 parameters, not 1"),
            (own.replace("(r: r)", "(q: r)"), "its parameter is named `q`, not `r`"),
            (
                own.replace("option<v>", "list<v>"),
                "parameter `r`: record `r`, field `b`: a list where the contract has a option",
            ),
        ];
        for (theirs, expected) in cases {
            assert_eq!(between(own, &theirs), expected);
        }
    }

    #[test]
    fn a_type_behind_another_name_is_the_same_type() {
        assert_eq!(between("type n = list<u8>; f: func(n: n);", "f: func(n: list<u8>);"), "");
    }
}
