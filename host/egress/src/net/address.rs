//! Which addresses may be dialled.
//!
//! Allowed is what stands in the binding's ranges. Never allowed, whatever the ranges say: link-local with the cloud's
//! metadata services, unspecified, multicast and reserved addresses, in every form that carries an IPv4 address inside
//! IPv6 (mapped, compatible, NAT64, 6to4), and the host's own listeners. Loopback needs a range that is loopback itself:
//! `0.0.0.0/0` does not open it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use ipnet::IpNet;

/// Metadata and host-agent services outside the link-local ranges: AWS, Google, Alibaba, Oracle, Azure.
const METADATA_V6: [Ipv6Addr; 2] =
    [Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)];
const METADATA_V4: [Ipv4Addr; 3] =
    [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(192, 0, 0, 192), Ipv4Addr::new(168, 63, 129, 16)];

/// The rules of one endpoint.
#[derive(Debug, Clone)]
pub(crate) struct AddressRules {
    pub(crate) allowed: Vec<IpNet>,
    pub(crate) forbidden: Vec<SocketAddr>,
}

impl AddressRules {
    /// Whether `ip:port` may be dialled; the error says why not and which setting would allow it.
    pub(crate) fn check(&self, ip: IpAddr, port: u16) -> Result<(), String> {
        let forms = forms(ip);
        if let Some(bad) = forms.iter().find(|f| never(**f)) {
            return Err(format!(
                "{bad} is link-local, metadata, unspecified, multicast or reserved and is never dialled"
            ));
        }
        if let Some(own) =
            self.forbidden.iter().find(|own| own.port() == port && forms.iter().any(|f| listens(own.ip(), *f)))
        {
            return Err(format!("{own} is the host's own listener"));
        }
        let plain = plain(ip);
        let inside = |range: &&IpNet| range.contains(&plain) || range.contains(&ip);
        let Some(_) = self.allowed.iter().find(inside) else {
            return Err(format!(
                "{ip} is outside the endpoint's allowed ranges: add it to allowed_ranges if it is right"
            ));
        };
        let loopback = forms.iter().any(IpAddr::is_loopback);
        if loopback && !self.allowed.iter().filter(inside).any(is_loopback_range) {
            return Err(format!("{ip} is loopback: only a range that is loopback itself allows it"));
        }
        Ok(())
    }
}

fn is_loopback_range(range: &IpNet) -> bool {
    match range {
        IpNet::V4(net) => net.network().is_loopback() && net.prefix_len() >= 8,
        IpNet::V6(net) => net.network().is_loopback() && net.prefix_len() == 128,
    }
}

/// A mapped IPv4 address as IPv4: that is what the kernel dials.
fn plain(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(ip, IpAddr::V4),
        IpAddr::V4(_) => ip,
    }
}

/// The address and every IPv4 address that it carries.
fn forms(ip: IpAddr) -> Vec<IpAddr> {
    let mut forms = vec![ip];
    if let IpAddr::V6(v6) = ip {
        let s = v6.segments();
        let pair = |hi: u16, lo: u16| IpAddr::V4(Ipv4Addr::from((u32::from(hi) << 16) | u32::from(lo)));
        let [s0, s1, s2, s3, s4, s5, s6, s7] = s;
        let zeros = |part: &[u16]| part.iter().all(|x| *x == 0);
        let mapped_or_compatible =
            zeros(&[s0, s1, s2, s3, s4]) && (s5 == 0xffff || s5 == 0) && !(s5 == 0 && s6 == 0 && s7 <= 1);
        // RFC 6052's well-known prefix and RFC 8215's local one.
        let nat64 = s0 == 0x64 && s1 == 0xff9b;
        if mapped_or_compatible || nat64 {
            forms.push(pair(s6, s7));
        }
        // RFC 3056.
        if s0 == 0x2002 {
            forms.push(pair(s1, s2));
        }
    }
    forms
}

fn never(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => {
            v4.is_link_local() || v4.octets()[0] == 0 || v4.octets()[0] >= 224 || METADATA_V4.contains(&v4)
        }
        IpAddr::V6(v6) => {
            v6.is_unspecified() || v6.is_unicast_link_local() || v6.is_multicast() || METADATA_V6.contains(&v6)
        }
    }
}

/// Whether a listener bound to `bound` answers at `ip`.
fn listens(bound: IpAddr, ip: IpAddr) -> bool {
    if plain(bound) == plain(ip) {
        return true;
    }
    // A listener on every address answers at each address of this machine; binding a socket tells which those are.
    bound.is_unspecified() && (ip.is_loopback() || UdpSocket::bind((ip, 0)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(allowed: &[&str], forbidden: &[&str]) -> AddressRules {
        AddressRules {
            allowed: allowed.iter().map(|n| n.parse().unwrap()).collect(),
            forbidden: forbidden.iter().map(|a| a.parse().unwrap()).collect(),
        }
    }

    #[test]
    fn metadata_link_local_and_the_like_are_never_dialled_in_any_form() {
        let open = rules(&["0.0.0.0/0", "::/0", "127.0.0.0/8"], &[]);
        for ip in [
            "169.254.169.254",
            "169.254.0.1",
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "239.1.1.1",
            "255.255.255.255",
            "240.0.0.1",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "::",
            "fe80::1",
            "ff02::1",
            "fd00:ec2::254",
            "fd20:ce::254",
            "::ffff:169.254.169.254",
            "::169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
            "::ffff:0.0.0.0",
            "::ffff:224.0.0.1",
        ] {
            assert!(open.check(ip.parse().unwrap(), 443).is_err(), "{ip}");
        }
        for ip in ["10.1.2.3", "8.8.8.8", "2001:db8::1", "fd12::1", "::ffff:10.0.0.1", "127.0.0.1"] {
            assert_eq!(open.check(ip.parse().unwrap(), 443), Ok(()), "{ip}");
        }
    }

    #[test]
    fn an_address_outside_the_ranges_is_refused() {
        let some = rules(&["10.0.0.0/24", "2001:db8::/64"], &[]);
        assert!(some.check("10.0.1.1".parse().unwrap(), 1).unwrap_err().contains("allowed_ranges"));
        assert!(some.check("2001:db8:1::1".parse().unwrap(), 1).is_err());
        assert_eq!(some.check("::ffff:10.0.0.9".parse().unwrap(), 1), Ok(()));
    }

    #[test]
    fn loopback_needs_a_range_of_its_own() {
        let open = rules(&["0.0.0.0/0", "::/0"], &[]);
        for ip in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"] {
            assert!(open.check(ip.parse().unwrap(), 1).is_err(), "{ip}");
        }
        let own = rules(&["127.0.0.1/32", "::1/128"], &[]);
        assert_eq!(own.check("127.0.0.1".parse().unwrap(), 1), Ok(()));
        assert_eq!(own.check("::1".parse().unwrap(), 1), Ok(()));
        assert!(own.check("127.0.0.2".parse().unwrap(), 1).is_err());
    }

    #[test]
    fn the_hosts_own_listener_is_refused_also_when_it_listens_everywhere() {
        let exact = rules(&["127.0.0.0/8"], &["127.0.0.1:9443"]);
        assert!(exact.check("127.0.0.1".parse().unwrap(), 9443).unwrap_err().contains("own listener"));
        assert!(exact.check("::ffff:127.0.0.1".parse().unwrap(), 9443).is_err());
        assert_eq!(exact.check("127.0.0.1".parse().unwrap(), 9444), Ok(()));
        for everywhere in ["0.0.0.0:9443", "[::]:9443"] {
            let wide = rules(&["127.0.0.0/8", "8.8.8.0/24"], &[everywhere]);
            assert!(wide.check("127.0.0.1".parse().unwrap(), 9443).is_err(), "{everywhere}");
            assert_eq!(wide.check("8.8.8.8".parse().unwrap(), 9443), Ok(()));
        }
    }
}
