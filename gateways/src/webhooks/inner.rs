//! Which addresses are not the outside world's. What is not known to be outside is inside.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

type Network4 = ([u8; 4], u32);
type Network6 = ([u16; 8], u32);

/// Every special-purpose network of IPv4 that does not lead to one public machine (RFC 6890 and its registry).
const INNER_4: &[Network4] = &[
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    // Shared with carriers; some clouds keep their metadata here.
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    // Link-local, with most clouds' metadata.
    ([169, 254, 0, 0], 16),
    // One cloud's metadata, in the middle of public addresses.
    ([168, 63, 129, 16], 32),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    // Multicast, and all above it.
    ([224, 0, 0, 0], 3),
];

/// Only here are public machines of IPv6 …
const OUTER_6: Network6 = ([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);
/// … except for these: protocols' own (Teredo among them), documentation, and 6to4, which hides an address of IPv4.
const INNER_6: &[Network6] = &[
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
    ([0x2002, 0, 0, 0, 0, 0, 0, 0], 16),
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),
];

/// Whether an address leads anywhere but to a public machine.
pub(super) fn is_inner(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => INNER_4.iter().any(|network| within_4(address, *network)),
        IpAddr::V6(address) => !within_6(address, OUTER_6) || INNER_6.iter().any(|network| within_6(address, *network)),
    }
}

fn within_4(address: Ipv4Addr, (network, bits): Network4) -> bool {
    (u32::from(address) ^ u32::from_be_bytes(network)) >> (32 - bits) == 0
}

fn within_6(address: Ipv6Addr, (network, bits): Network6) -> bool {
    (u128::from(address) ^ u128::from(Ipv6Addr::from(network))) >> (128 - bits) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_inner_address_is_one() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.100.100.200",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::8.8.8.8",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::ffff:0:127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::808:808",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:0:53aa:64c:0:7f:80ff:fffe",
            "2001:10::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:808:808::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(is_inner(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn public_machines_are_not() {
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.1",
            "100.63.255.255",
            "100.128.0.1",
            "128.0.0.1",
            "168.63.129.17",
            "172.15.255.255",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.255.255",
            "198.20.0.1",
            "223.255.255.255",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2606:4700::1111",
            "2a00:1450::1",
        ] {
            assert!(!is_inner(address.parse().unwrap()), "{address}");
        }
    }
}
